# NR-GAN noise K (multiplicative plus little additive Gaussian),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/K:compat'), or --noise nrgan/K:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/K'))

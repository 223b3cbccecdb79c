# NR-GAN noise L (multiplicative plus much additive Gaussian),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/L:compat'), or --noise nrgan/L:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/L'))

# NR-GAN noise P (Poisson plus much Gaussian),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/P:compat'), or --noise nrgan/P:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/P'))

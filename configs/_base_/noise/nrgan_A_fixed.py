# NR-GAN noise A (additive Gaussian, sigma 25),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/A:compat'), or --noise nrgan/A:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/A'))

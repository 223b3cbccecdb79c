# NR-GAN noise M (Poisson, peak 30),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/M:compat'), or --noise nrgan/M:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/M'))

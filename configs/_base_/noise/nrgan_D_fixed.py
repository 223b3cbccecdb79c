# NR-GAN noise D (local Gaussian, rectangle of 8 to 24 pixels),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/D:compat'), or --noise nrgan/D:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/D'))

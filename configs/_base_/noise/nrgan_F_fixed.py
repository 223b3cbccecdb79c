# NR-GAN noise F (mixture per pixel),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/F:compat'), or --noise nrgan/F:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/F'))

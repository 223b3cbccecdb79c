# NR-GAN noise H (additive plus brown Gaussian),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/H:compat'), or --noise nrgan/H:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/H'))

# NR-GAN noise N (Poisson, peak 10 to 50 per image),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/N:compat'), or --noise nrgan/N:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/N'))

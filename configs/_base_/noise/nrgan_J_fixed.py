# NR-GAN noise J (multiplicative Gaussian, sigma 5 to 50 per image),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/J:compat'), or --noise nrgan/J:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/J'))

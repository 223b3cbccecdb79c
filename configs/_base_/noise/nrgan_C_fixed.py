# NR-GAN noise C (local Gaussian, 16 x 16 square),
# on the images to imitate, the same at every visit.
# train=dict(preset='nrgan/C:compat'), or --noise nrgan/C:compat: the random numbers of the
# released code. --cfg-options noise.where=batch: drawn anew at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='nrgan/C'))

# NR-GAN noise G, drawn anew at every visit. nrgan/G:compat with where='pipeline' is the fixed
# noise per image of the released code.
noise = dict(
    where='batch',
    target='source',
    train=dict(preset='nrgan/G'),
    test=dict(preset='nrgan/G'),
)

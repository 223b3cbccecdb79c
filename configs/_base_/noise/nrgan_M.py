# NR-GAN noise M, drawn anew at every visit. nrgan/M:compat with where='pipeline' is the fixed
# noise per image of the released code.
noise = dict(
    where='batch',
    target='source',
    train=dict(preset='nrgan/M'),
    test=dict(preset='nrgan/M'),
)

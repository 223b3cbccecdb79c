# NR-GAN noise A, drawn anew at every visit. nrgan/A:compat with where='pipeline' is the fixed
# noise per image of the released code.
noise = dict(
    where='batch',
    target='source',
    train=dict(preset='nrgan/A'),
    test=dict(preset='nrgan/A'),
)

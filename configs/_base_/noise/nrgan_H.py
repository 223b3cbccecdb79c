# NR-GAN noise H, drawn anew at every visit. nrgan/H:compat with where='pipeline' is the fixed
# noise per image of the released code.
noise = dict(
    where='batch',
    target='source',
    train=dict(preset='nrgan/H'),
    test=dict(preset='nrgan/H'),
)

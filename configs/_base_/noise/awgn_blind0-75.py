# Any level: sigma drawn per image from U(0, 75) in 8-bit units for training, 25 for testing;
# tested with the random numbers of the tests in cszn/KAIR.
noise = dict(
    where='batch',
    target='source',
    train=dict(type='GaussianNoise', sigma=(0, 75), unit=255),
    test=dict(type='GaussianNoise', sigma=25, unit=255, numpy_seed=0),
)

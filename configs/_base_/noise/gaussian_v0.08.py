# Gaussian noise injection, variance 0.08 in [-1, 1]: half of 0.16, the end of the test grid.
noise = dict(
    where='batch',
    target='source',
    train=dict(type='GaussianNoise', variance=0.08, unit='[-1,1]'),
)

# Gaussian noise injection, variance 0.04 in [-1, 1]; evaluation stays as the baseline has it.
noise = dict(
    where='batch',
    target='source',
    train=dict(type='GaussianNoise', variance=0.04, unit='[-1,1]'),
)

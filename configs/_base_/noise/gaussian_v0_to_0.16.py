# Gaussian noise injection, variance drawn per image from U(0, 0.16) in [-1, 1].
noise = dict(
    where='batch',
    target='source',
    train=dict(type='GaussianNoise', variance=(0, 0.16), unit='[-1,1]'),
)

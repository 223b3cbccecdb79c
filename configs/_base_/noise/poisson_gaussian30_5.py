# Photon noise, peak 30, plus read noise, sigma 5 in 8-bit units, for training and testing.
noise = dict(
    where='batch',
    target='source',
    train=dict(type='PoissonGaussianNoise', peak=30, sigma=5, unit=255),
    test=dict(type='PoissonGaussianNoise', peak=30, sigma=5, unit=255),
)

# Additive white Gaussian noise, sigma 50 in 8-bit units, for training and testing a denoiser.
# Not clipped, not rounded: the convention of the denoising tables.
noise = dict(
    where='batch',
    target='source',
    train=dict(type='GaussianNoise', sigma=50, unit=255),
    test=dict(type='GaussianNoise', sigma=50, unit=255),
)

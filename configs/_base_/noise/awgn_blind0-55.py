# Blind denoising: sigma drawn per image from U(0, 55) in 8-bit units for training, 25 for testing.
noise = dict(
    where='batch',
    target='source',
    train=dict(type='GaussianNoise', sigma=(0, 55), unit=255),
    test=dict(type='GaussianNoise', sigma=25, unit=255),
)

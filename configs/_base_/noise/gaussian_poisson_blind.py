# Blind: Gaussian, photon or both noises, one of the three per image, sigma of U(0, 50) and chi of
# U(5, 50), as for the synthetic denoiser of NoiseTransfer; tested with both, at 30 and 25.
# Clipped to [0, 1], not rounded.
noise = dict(
    where='batch',
    target='source',
    train=dict(
        type='OneOf',
        noises=[
            dict(type='GaussianNoise', sigma=(0, 50), unit=255),
            dict(type='PoissonNoise', peak=(5, 50)),
            dict(type='PoissonGaussianNoise', peak=(5, 50), sigma=(0, 50), unit=255),
        ],
        clip=True,
    ),
    test=dict(type='PoissonGaussianNoise', peak=30, sigma=25, unit=255, clip=True),
)

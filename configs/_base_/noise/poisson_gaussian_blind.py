# Blind: photon noise, chi of U(5, 50) photons at white, and read noise, sigma of U(0, 50), both
# drawn per image; tested at 30 and 25. Clipped to [0, 1], not rounded.
noise = dict(
    where='batch',
    target='source',
    train=dict(
        type='PoissonGaussianNoise',
        peak=(5, 50),
        sigma=(0, 50),
        unit=255,
        clip=True,
    ),
    test=dict(type='PoissonGaussianNoise', peak=30, sigma=25, unit=255, clip=True),
)

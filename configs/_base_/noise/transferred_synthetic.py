# Generated noise like a synthetic one, which the image itself shows as reference: Gaussian, photon
# or both, one of the three per image, sigma of U(0, 50) and chi of U(5, 50). Tested with true
# noise, chi 30 and sigma 25. The generator: a trained or converted NoiseTransfer.
noise = dict(
    where='batch',
    target='source',
    train=dict(
        type='TransferredNoise',
        checkpoint='work_dirs/noise_transfer_div2k-sidd',
        reference=dict(
            type='OneOf',
            noises=[
                dict(type='GaussianNoise', sigma=(0, 50), unit=255),
                dict(type='PoissonNoise', peak=(5, 50)),
                dict(type='PoissonGaussianNoise', peak=(5, 50), sigma=(0, 50), unit=255),
            ],
            clip=True,
        ),
        clip=True,
    ),
    test=dict(type='PoissonGaussianNoise', peak=30, sigma=25, unit=255, clip=True),
)

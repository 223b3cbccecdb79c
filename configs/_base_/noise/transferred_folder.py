# Generated noise like that of real noisy images of other scenes: a random crop of a random image of
# data/noisy for every image. The generator: a trained or converted NoiseTransfer.
noise = dict(
    where='batch',
    target='source',
    train=dict(
        type='TransferredNoise',
        checkpoint='work_dirs/noise_transfer_div2k-sidd',
        reference='data/noisy',
        crop=96,
        cache='work_dirs/cache',
        clip=True,
    ),
    test=dict(
        type='TransferredNoise',
        checkpoint='work_dirs/noise_transfer_div2k-sidd',
        reference='data/noisy',
        crop=96,
        cache='work_dirs/cache',
        clip=True,
    ),
)

# The denoiser of NoiseTransfer without data and noise: Adam 1e-4, 1,000,000 iterations, rate halved
# after 75, 85 and 95 %.
_base_ = ['./denoisers/ridnet.py']

model = dict(generator=dict(variant='g'))
train_cfg = dict(max_iters=1_000_000)
param_scheduler = [
    dict(
        type='MultiStepLR',
        milestones=[750_000, 850_000, 950_000],
        gamma=0.5,
        by_epoch=False,
        end=1_000_000,
    )
]

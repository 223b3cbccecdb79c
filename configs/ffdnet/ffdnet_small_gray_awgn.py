# FFDNet made small for two CPU cores: 8 residual layers of 64 channels, 6,000 iterations.
_base_ = ['./ffdnet_gray.py', '../_base_/noise/awgn_blind0-55.py']

model = dict(generator=dict(depth=8, residual=True))
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=64),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)
train_cfg = dict(max_iters=6_000, val_interval=500)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=6_000, eta_min=1e-6, by_epoch=False, end=6_000)
]

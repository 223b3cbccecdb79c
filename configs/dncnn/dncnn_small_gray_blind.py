# DnCNN-B for two CPU cores: 12 layers of 64 channels on sub-images, L1, 15,000 iterations of 8
# patches.
_base_ = ['./dncnn_gray_blind.py']

model = dict(
    channels_last=True,
    generator=dict(depth=12, width=64, subsampling=2),
    losses=dict(pixel=dict(_delete_=True, type='L1Loss')),
)
train_dataloader = dict(batch_size=8, num_workers=0)
train_cfg = dict(max_iters=15_000, val_interval=1_500)
optim_wrapper = dict(optimizer=dict(lr=3e-3, fused=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=100, by_epoch=False),
    dict(type='CosineAnnealingLR', T_max=15_000, eta_min=1e-6, by_epoch=False, end=15_000),
]

# DnCNN-B for two CPU cores: 12 layers of 64 channels on sub-images, L1, 11,000 iterations.
_base_ = ['./dncnn_gray_blind.py']

model = dict(
    channels_last=True,
    generator=dict(depth=12, width=64, subsampling=2),
    losses=dict(pixel=dict(_delete_=True, type='L1Loss')),
)
train_dataloader = dict(batch_size=16, num_workers=1)
train_cfg = dict(max_iters=11_000, val_interval=1_000)
optim_wrapper = dict(optimizer=dict(lr=3e-3, fused=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=100, by_epoch=False),
    dict(type='CosineAnnealingLR', T_max=11_000, eta_min=1e-6, by_epoch=False, end=11_000),
]

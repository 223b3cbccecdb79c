# DnCNN-B made small for two CPU cores: 8 layers of 32 channels, 16 patches, 4,000 iterations.
_base_ = ['./dncnn_gray_blind.py']

model = dict(generator=dict(depth=8, width=32))
train_dataloader = dict(batch_size=16, num_workers=1)
train_cfg = dict(max_iters=4_000, val_interval=500)
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=4_000, eta_min=1e-6, by_epoch=False, end=4_000)
]

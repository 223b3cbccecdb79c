# DnCNN-B made small for two CPU cores: 10 layers of 48 channels, L1, 2,600 iterations.
_base_ = ['./dncnn_gray_blind.py']

model = dict(
    generator=dict(depth=10, width=48),
    losses=dict(pixel=dict(_delete_=True, type='L1Loss')),
)
train_dataloader = dict(batch_size=16, num_workers=1)
train_cfg = dict(max_iters=2_600, val_interval=200)
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=2_600, eta_min=1e-6, by_epoch=False, end=2_600)
]

# NAFNet for colour images without its noise: inherit this and a file of _base_/noise.
_base_ = [
    '../_base_/models/nafnet.py',
    '../_base_/datasets/denoise_color_folder.py',
    '../_base_/schedules/adam_100k.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=128),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.9), weight_decay=0.0),
)
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=100_000, eta_min=1e-7, by_epoch=False, end=100_000)
]
val_evaluator = [dict(type='PSNR', profile='float'), dict(type='SSIM', profile='float')]
test_evaluator = val_evaluator

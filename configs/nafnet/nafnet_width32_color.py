# NAFNet for colour images without its noise: inherit this and a file of _base_/noise.
_base_ = [
    '../_base_/models/nafnet.py',
    '../_base_/datasets/denoise_color_folder.py',
    '../_base_/schedules/adamw_cosine_100k.py',
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
val_evaluator = [dict(type='PSNR', profile='float'), dict(type='SSIM', profile='float')]
test_evaluator = val_evaluator

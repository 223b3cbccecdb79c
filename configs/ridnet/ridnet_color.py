# RIDNet for colour images without its noise: inherit this and a file of _base_/noise.
# 16 patches of 80x80, Adam 1e-4, halved twice.
_base_ = [
    '../_base_/models/ridnet.py',
    '../_base_/datasets/denoise_color_folder.py',
    '../_base_/schedules/adam_100k.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=80),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
val_evaluator = [dict(type='PSNR', profile='float'), dict(type='SSIM', profile='float')]
test_evaluator = val_evaluator

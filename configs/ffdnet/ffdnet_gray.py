# FFDNet for grey images without its noise: inherit this and a file of _base_/noise.
# 64 patches of 70x70, Adam 1e-4, rate / 10 after 60 %.
_base_ = [
    '../_base_/models/ffdnet_gray.py',
    '../_base_/datasets/denoise_gray_folder.py',
    '../_base_/schedules/adam_100k.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=70),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[60_000], gamma=0.1, by_epoch=False, end=100_000)
]
val_evaluator = [dict(type='PSNR', profile='gray-float'), dict(type='SSIM', profile='gray-float')]
test_evaluator = val_evaluator

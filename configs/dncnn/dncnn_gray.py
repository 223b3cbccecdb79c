# DnCNN-S of Zhang et al. 2017 without its noise: inherit this and a file of _base_/noise.
# 128 patches of 40x40, Adam, rate / 10 after 60 %.
_base_ = [
    '../_base_/models/dncnn_gray.py',
    '../_base_/datasets/denoise_gray_folder.py',
    '../_base_/schedules/adam_100k.py',
    '../_base_/default_runtime.py',
]

param_scheduler = [
    dict(type='MultiStepLR', milestones=[60_000], gamma=0.1, by_epoch=False, end=100_000)
]
val_evaluator = [dict(type='PSNR', profile='gray-float'), dict(type='SSIM', profile='gray-float')]
test_evaluator = val_evaluator

# DnCNN for colour images without its noise: inherit this and a file of _base_/noise.
_base_ = [
    '../_base_/models/dncnn_color.py',
    '../_base_/datasets/denoise_color_folder.py',
    '../_base_/schedules/adam_100k.py',
    '../_base_/default_runtime.py',
]

param_scheduler = [
    dict(type='MultiStepLR', milestones=[60_000], gamma=0.1, by_epoch=False, end=100_000)
]
val_evaluator = [dict(type='PSNR', profile='float'), dict(type='SSIM', profile='float')]
test_evaluator = val_evaluator

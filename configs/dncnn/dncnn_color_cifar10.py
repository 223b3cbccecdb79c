# DnCNN on CIFAR-10 without its noise, to compare training schemes on one set.
_base_ = [
    '../_base_/models/dncnn_color.py',
    '../_base_/datasets/cifar10_denoise.py',
    '../_base_/schedules/adam_100k.py',
    '../_base_/default_runtime.py',
]

val_evaluator = [dict(type='PSNR', profile='float'), dict(type='SSIM', profile='float')]
test_evaluator = val_evaluator

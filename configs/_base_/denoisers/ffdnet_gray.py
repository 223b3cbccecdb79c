# FFDNet for grey images without data and noise: Adam 1e-4, rate / 10 after 60 %.
_base_ = [
    '../models/ffdnet_gray.py',
    '../schedules/adam_100k.py',
    '../default_runtime.py',
]

optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[60_000], gamma=0.1, by_epoch=False, end=100_000)
]
val_evaluator = [dict(type='PSNR', profile='gray-float'), dict(type='SSIM', profile='gray-float')]
test_evaluator = val_evaluator

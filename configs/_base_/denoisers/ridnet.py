# RIDNet without data and noise: Adam 1e-4, halved twice.
_base_ = [
    '../models/ridnet.py',
    '../schedules/adam_100k.py',
    '../default_runtime.py',
]

optim_wrapper = dict(optimizer=dict(lr=1e-4))
val_evaluator = [dict(type='PSNR', profile='float'), dict(type='SSIM', profile='float')]
test_evaluator = val_evaluator

# NAFNet of width 32 without data and noise: AdamW, cosine to 1e-7.
_base_ = [
    '../models/nafnet.py',
    '../schedules/adamw_cosine_100k.py',
    '../default_runtime.py',
]

val_evaluator = [dict(type='PSNR', profile='float'), dict(type='SSIM', profile='float')]
test_evaluator = val_evaluator

# AdamW as in NAFNet, 100,000 iterations, cosine to 1e-7. `end` is explicit.
_base_ = ['./adam_100k.py']
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.9), weight_decay=0.0),
)
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=100_000, eta_min=1e-7, by_epoch=False, end=100_000)
]

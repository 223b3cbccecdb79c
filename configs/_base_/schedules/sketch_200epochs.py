# 200 passes over the 268 training pairs of CUFS in batches of 4: 13,400 iterations, learning rate
# constant for half of them, then linear to zero; evaluation with a moving average of 0.999.
_base_ = ['./gan_adam_100k.py']

train_cfg = dict(max_iters=13_400, val_interval=6_700)
param_scheduler = [  # of both optimisers
    dict(type='LinearLR', start_factor=1.0, end_factor=0.0, begin=6_700, end=13_400, by_epoch=False)
]
custom_hooks = [dict(type='ModuleEMAHook', modules=['generator'], decay=0.999)]

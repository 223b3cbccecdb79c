# 200 passes over the 268 training images of CUFS in batches of one: 53,600 iterations, learning
# rate constant for half of them, then linear to zero. For pix2pix and CycleGAN.
_base_ = ['./gan_adam_100k.py']

train_cfg = dict(max_iters=53_600, val_interval=5_360)
param_scheduler = [  # of both optimisers
    dict(
        type='LinearLR', start_factor=1.0, end_factor=0.0, begin=26_800, end=53_600, by_epoch=False
    )
]

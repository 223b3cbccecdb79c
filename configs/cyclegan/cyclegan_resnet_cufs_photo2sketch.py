# CycleGAN as published on CUFS, photograph -> sketch; pairs are not used. Padded to 286, crops of
# 256x256, batches of one, 200 passes over the 268 training images, the last 100 with falling rate.
_base_ = [
    '../_base_/models/cyclegan_resnet.py',
    '../_base_/datasets/cufs_photo2sketch.py',
    '../_base_/schedules/gan_adam_100k.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=1)
train_cfg = dict(max_iters=53_600, val_interval=5_360)
param_scheduler = dict(
    generator=[
        dict(
            type='LinearLR',
            start_factor=1.0,
            end_factor=0.0,
            begin=26_800,
            end=53_600,
            by_epoch=False,
        )
    ],
    discriminator=[
        dict(
            type='LinearLR',
            start_factor=1.0,
            end_factor=0.0,
            begin=26_800,
            end=53_600,
            by_epoch=False,
        )
    ],
)
val_evaluator = [dict(type='FSIM'), dict(type='SSIM')]
test_evaluator = val_evaluator

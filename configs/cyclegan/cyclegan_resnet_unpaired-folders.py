# CycleGAN as published, on two folders of unrelated images: scaled to 286, crops of 256x256,
# batches of one, 270,000 iterations, learning rate constant for half of them, then to zero.
_base_ = [
    '../_base_/models/cyclegan_resnet.py',
    '../_base_/datasets/unpaired_folders.py',
    '../_base_/schedules/gan_adam_100k.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=1)
train_cfg = dict(max_iters=270_000, val_interval=10_000)
param_scheduler = [  # of both optimisers
    dict(
        type='LinearLR',
        start_factor=1.0,
        end_factor=0.0,
        begin=135_000,
        end=270_000,
        by_epoch=False,
    )
]
val_evaluator = [dict(type='FID'), dict(type='KID')]  # there are no pairs to compare
test_evaluator = val_evaluator

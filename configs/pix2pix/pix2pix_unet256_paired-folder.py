# pix2pix as published, on your own pairs: crops of 256x256, batches of 4.
# For batches of one set model.generator.norm='instance': the same in training, and sound at test.
_base_ = [
    '../_base_/models/pix2pix_unet.py',
    '../_base_/datasets/paired_folder.py',
    '../_base_/schedules/gan_adam_100k.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    batch_size=4,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=256),
            dict(type='RandomFlip'),
            dict(type='NoiseSlot'),
        ]
    ),
)
val_evaluator = [dict(type='PSNR'), dict(type='SSIM')]
test_evaluator = val_evaluator

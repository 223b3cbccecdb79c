# Any pairs of images with equal names in two folders: crops of 256x256, 13,400 batches of 4.
_base_ = [
    '../_base_/models/sketch_transformer.py',
    '../_base_/datasets/paired_folder.py',
    '../_base_/schedules/sketch_200epochs.py',
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
val_evaluator = [dict(type='PSNR'), dict(type='SSIM'), dict(type='FSIM')]
test_evaluator = val_evaluator

# Pairs of images with equal names in two folders: source -> target.
_base_ = ['../loaders/train_test.py']

train_dataloader = dict(
    dataset=dict(
        type='PairedFolder',
        source_root='data/train/source',
        target_root='data/train/target',
        cache='work_dirs/cache',
        pipeline=[
            dict(type='RandomCrop', size=128),
            dict(type='RandomFlip'),
            dict(type='NoiseSlot'),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='PairedFolder',
        source_root='data/test/source',
        target_root='data/test/target',
        pipeline=[dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

# Two folders of unrelated images: every source meets a target drawn anew on every visit.
_base_ = ['../loaders/train_test.py']

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        type='UnpairedFolders',
        source_root='data/train/source',
        target_root='data/train/target',
        cache='work_dirs/cache',
        pipeline=[
            dict(type='Resize', size=286),
            dict(type='RandomCrop', size=256),
            dict(type='RandomFlip'),
            dict(type='NoiseSlot'),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='UnpairedFolders',
        source_root='data/test/source',
        target_root='data/test/target',
        pipeline=[dict(type='Resize', size=256), dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

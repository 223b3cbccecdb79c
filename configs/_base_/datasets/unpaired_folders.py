# Two folders of unrelated images: every source meets a target drawn anew on every visit.
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
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
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='UnpairedFolders',
        source_root='data/test/source',
        target_root='data/test/target',
        pipeline=[dict(type='Resize', size=256), dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

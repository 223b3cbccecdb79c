# Real noise of three cameras, 512x512 crops: two cameras for training, the third for the test.
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='StandardSet',
        data_root='data/CC15',
        layout='cc15',
        cache='work_dirs/cache',
        only=dict(camera=['d600', 'd800']),
        pipeline=[
            dict(type='RandomCrop', size=128),
            dict(type='RandomDihedral'),
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
        type='StandardSet',
        data_root='data/CC15',
        layout='cc15',
        cache='work_dirs/cache',
        only=dict(camera='5dmark3'),
    ),
)
val_dataloader = test_dataloader

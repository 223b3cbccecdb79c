# Grey denoising as in the DnCNN paper: 400 clean images for training, Set12 for the test.
# Only clean images are needed: the noise of the config makes the noisy ones.
train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='CleanFolder',
        data_root='data/Train400',
        channels=1,
        cache='memory',
        pipeline=[
            dict(type='RandomCrop', size=40),
            dict(type='RandomDihedral'),
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
        type='CleanFolder',
        data_root='data/Set12',
        channels=1,
        pipeline=[dict(type='ToFloat'), dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

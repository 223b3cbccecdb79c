# Clean photographs: DIV2K for training, BSDS500 for the test; the noise of the config makes pairs.
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='StandardSet',
        data_root='data/DIV2K',
        layout='div2k_train',
        cache='work_dirs/cache',
        pipeline=[
            dict(type='RandomCrop', size=128),
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
        type='StandardSet',
        data_root='data/BSDS500',
        layout='bsds500',
        cache='work_dirs/cache',
        pipeline=[dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

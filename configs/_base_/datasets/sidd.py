# Real noise of smartphones: SIDD medium for training, the SIDD validation blocks for the test.
# The cache holds SIDD medium decoded, tens of GB; without that much room: docs/data.md, crops.
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='StandardSet',
        data_root='data/SIDD_Medium_Srgb',
        layout='sidd_medium',
        cache='work_dirs/cache',
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
        data_root='data/SIDD_Validation_sRGB',
        layout='sidd_validation',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader

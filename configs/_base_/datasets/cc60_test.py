# Test on CC60: 60 crops of the set of Nam et al.
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='StandardSet',
        data_root='data/CC60',
        layout='cc60',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader

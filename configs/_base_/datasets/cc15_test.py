# Test on all of CC15: 15 crops of three cameras, each with the mean of 500 shots.
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
    ),
)
val_dataloader = test_dataloader

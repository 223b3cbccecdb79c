# Test on the validation blocks of SIDD+.
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='StandardSet',
        data_root='data/SIDD_plus',
        layout='sidd_plus',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader

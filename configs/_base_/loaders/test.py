# How images are loaded for validation and test: one by one, in order.
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
)
val_dataloader = test_dataloader

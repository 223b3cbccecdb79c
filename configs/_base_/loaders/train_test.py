# The same, and how training loads: shuffled batches of 16.
_base_ = ['./test.py']

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
)

# Photograph -> pencil drawing, on photographs that ship inside scikit-image: nothing to download.
# Training crops (64 x 64) and test crops (96 x 96) come from different photographs.
train_dataloader = dict(
    batch_size=8,
    num_workers=0,  # crops in memory: faster than any worker
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='ToyPhotos',
        split='train',
        task='pencil',
        size=64,
        pipeline=[dict(type='RandomDihedral'), dict(type='NoiseSlot')],
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='ToyPhotos',
        split='test',
        task='pencil',
        size=96,
        pipeline=[dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

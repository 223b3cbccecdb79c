# Stand-in for face sketches, nothing to download: crops of the photographs inside scikit-image (no
# faces) and their pencil drawings, through the protocol of CUFS at a quarter of its size: 62 high
# and 50 wide, padded with white to 72 and cropped to 64 in training, padded to 64 in the test.
train_dataloader = dict(
    batch_size=4,
    num_workers=0,  # crops in memory: faster than any worker
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='ToyPhotos',
        split='train',
        task='pencil',
        size=(62, 50),
        pipeline=[
            dict(type='PadTo', size=72, value=255),
            dict(type='RandomCrop', size=64),
            dict(type='RandomFlip'),
            dict(type='NoiseSlot'),
        ],
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
        size=(62, 50),
        pipeline=[dict(type='PadTo', size=64, value=255), dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

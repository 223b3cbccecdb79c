# Stand-in for face sketches from photographs of your own: each is scaled and cropped to 250 high
# and 200 wide, drawn by a pencil filter, and goes through the protocol of CUFS.
_base_ = ['../loaders/train_test.py']

train_dataloader = dict(
    batch_size=4,
    dataset=dict(
        type='CleanFolder',
        data_root='data/photos/train',
        cache='work_dirs/cache',
        pipeline=[
            dict(type='Resize', size=250),
            dict(type='CenterCrop', size=(250, 200)),
            dict(type='DrawPencil', direction='photo2sketch'),
            dict(type='PadTo', size=286, value=255),
            dict(type='RandomCrop', size=256),
            dict(type='RandomFlip'),
            dict(type='NoiseSlot'),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='CleanFolder',
        data_root='data/photos/test',
        pipeline=[
            dict(type='Resize', size=250),
            dict(type='CenterCrop', size=(250, 200)),
            dict(type='DrawPencil', direction='photo2sketch'),
            dict(type='PadTo', size=256, value=255),
            dict(type='NoiseSlot'),
        ],
    ),
)
val_dataloader = test_dataloader

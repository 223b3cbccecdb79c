# CUFS (CUHK student, AR, XM2VTS), photograph -> sketch: 268 pairs for training, 338 for the test.
# Layout: data/CUFS/{CUHK,AR,XM2VTS}/{photo,sketch}/NAME.*, aligned, 200 wide and 250 high.
# Padded with white, not resized: 286 and a random 256 crop shared by the pair in training, 256 in
# the test, where the picture is cut out again before it is scored and saved.
# list_file=None is our own split; name a list file to use another (docs/data.md).
_base_ = ['../loaders/train_test.py']

train_dataloader = dict(
    batch_size=4,
    dataset=dict(
        type='CUFS',
        data_root='data/CUFS',
        split='train',
        direction='photo2sketch',
        list_file=None,
        cache='work_dirs/cache',
        pipeline=[
            dict(type='PadTo', size=286, value=255),
            dict(type='RandomCrop', size=256),
            dict(type='RandomFlip'),
            dict(type='NoiseSlot'),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='CUFS',
        data_root='data/CUFS',
        split='test',
        direction='photo2sketch',
        list_file=None,
        cache='work_dirs/cache',
        pipeline=[dict(type='PadTo', size=256, value=255), dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

# Grey denoising as in the DnCNN paper: 400 clean images for training, Set12 for the test.
# Only clean images are needed: the noise of the config makes the noisy ones.
_base_ = ['../loaders/train_test.py']

train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        type='CleanFolder',
        data_root='data/Train400',
        channels=1,
        cache='memory',
        pipeline=[
            dict(type='RandomCrop', size=40),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='CleanFolder',
        data_root='data/Set12',
        channels=1,
        pipeline=[dict(type='ToFloat'), dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

# Clean photographs: DIV2K for training, BSDS500 for the test; the noise of the config makes pairs.
_base_ = ['../loaders/train_test.py']

train_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/DIV2K',
        layout='div2k_train',
        cache='work_dirs/cache',
        pipeline=[
            dict(type='RandomCrop', size=128),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/BSDS500',
        layout='bsds500',
        cache='work_dirs/cache',
        pipeline=[dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

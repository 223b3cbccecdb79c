# Real noise of smartphones: SIDD medium for training, the SIDD validation blocks for the test.
# The cache holds SIDD medium decoded, tens of GB; without that much room: docs/data.md, crops.
_base_ = ['../loaders/train_test.py']

train_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/SIDD_Medium_Srgb',
        layout='sidd_medium',
        cache='work_dirs/cache',
        pipeline=[
            dict(type='RandomCrop', size=128),
            dict(type='RandomDihedral'),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/SIDD_Validation_sRGB',
        layout='sidd_validation',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader

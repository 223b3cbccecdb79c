# Test on CC60: 60 crops of the set of Nam et al.
_base_ = ['../loaders/test.py']

test_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/CC60',
        layout='cc60',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader

# Test on all of CC15: 15 crops of three cameras, each with the mean of 500 shots.
_base_ = ['../loaders/test.py']

test_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/CC15',
        layout='cc15',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader

# Test on the validation blocks of SIDD+.
_base_ = ['../loaders/test.py']

test_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/SIDD_plus',
        layout='sidd_plus',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader

# Test on the 100 crops of PolyU.
_base_ = ['../loaders/test.py']

test_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/PolyU/CroppedImages',
        layout='polyu',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader

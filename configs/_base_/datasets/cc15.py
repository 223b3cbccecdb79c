# Real noise of three cameras, 512x512 crops: two cameras for training, the third for the test.
_base_ = ['../loaders/train_test.py']

train_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/CC15',
        layout='cc15',
        cache='work_dirs/cache',
        only=dict(camera=['d600', 'd800']),
        pipeline=[
            dict(type='RandomCrop', size=128),
            dict(type='RandomDihedral'),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/CC15',
        layout='cc15',
        cache='work_dirs/cache',
        only=dict(camera='5dmark3'),
    ),
)
val_dataloader = test_dataloader

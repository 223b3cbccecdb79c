# Real noise of two cameras of CC15, tested on the third: 128 patches of 50x50.
_base_ = ['../_base_/denoisers/dncnn_color.py', '../_base_/datasets/cc15.py']

train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=50),
            dict(type='RandomDihedral'),
        ]
    ),
)

# Real noise of smartphones: 16 patches of 80x80 of SIDD medium.
_base_ = ['../_base_/denoisers/ridnet.py', '../_base_/datasets/sidd.py']

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=80),
            dict(type='RandomDihedral'),
        ]
    ),
)

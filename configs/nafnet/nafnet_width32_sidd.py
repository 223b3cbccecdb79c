# Real noise of smartphones: 8 patches of 256x256 of SIDD medium.
_base_ = ['../_base_/denoisers/nafnet.py', '../_base_/datasets/sidd.py']

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=256),
            dict(type='RandomDihedral'),
        ]
    ),
)

# RIDNet on real pairs, noisy and clean: 16 patches of 80x80.
_base_ = ['../_base_/denoisers/ridnet.py', '../_base_/datasets/paired_folder.py']

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=80),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)

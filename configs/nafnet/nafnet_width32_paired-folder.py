# NAFNet on real pairs, noisy and clean: 8 patches of 256x256, AdamW, cosine to 1e-7.
_base_ = ['../_base_/denoisers/nafnet.py', '../_base_/datasets/paired_folder.py']

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=256),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)

# RIDNet for colour images without its noise: inherit this and a file of _base_/noise.
# 16 patches of 80x80, Adam 1e-4, halved twice.
_base_ = ['../_base_/denoisers/ridnet.py', '../_base_/datasets/denoise_color_folder.py']

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=80),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)

# NAFNet for colour images without its noise: inherit this and a file of _base_/noise.
_base_ = ['../_base_/denoisers/nafnet.py', '../_base_/datasets/denoise_color_folder.py']

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=128),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)

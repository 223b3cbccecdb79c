# FFDNet for colour images without its noise: inherit this and a file of _base_/noise.
_base_ = ['../_base_/denoisers/ffdnet_color.py', '../_base_/datasets/denoise_color_folder.py']

train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=70),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)

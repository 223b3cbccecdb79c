# FFDNet for grey images without its noise: inherit this and a file of _base_/noise.
# 64 patches of 70x70, Adam 1e-4, rate / 10 after 60 %.
_base_ = ['../_base_/denoisers/ffdnet_gray.py', '../_base_/datasets/denoise_gray_folder.py']

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

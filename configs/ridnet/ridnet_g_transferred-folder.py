# Generated noise like that of a folder of noisy images, on a folder of clean ones: 32 patches of
# 88x88 of which the inner 80x80 are learnt.
_base_ = ['./ridnet_color.py', '../_base_/noise/transferred_folder.py']

model = dict(data_preprocessor=dict(crop_border=4), generator=dict(variant='g'))
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=88),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    ),
)
optim_wrapper = dict(optimizer=dict(weight_decay=1e-5))

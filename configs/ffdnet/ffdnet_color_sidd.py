# Real noise of smartphones; the level that the network gets is estimated from every noisy image.
_base_ = ['../_base_/denoisers/ffdnet_color.py', '../_base_/datasets/sidd.py']

model = dict(data_preprocessor=dict(noise_level='estimate'))
train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=70),
            dict(type='RandomDihedral'),
        ]
    ),
)

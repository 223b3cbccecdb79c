# The synthetic denoiser of NoiseTransfer: generated noise on DIV2K, 32 patches of 88x88 of which
# the inner 80x80 are learnt. Tested with true noise on BSDS500.
_base_ = [
    '../_base_/ridnet_g_1m.py',
    '../_base_/datasets/div2k_bsds500.py',
    '../_base_/noise/transferred_synthetic.py',
]

model = dict(data_preprocessor=dict(crop_border=4))
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
optim_wrapper = dict(optimizer=dict(weight_decay=1e-6))

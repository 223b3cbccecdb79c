# The real denoiser of NoiseTransfer: generated noise on the clean images of SIDD medium, like that
# of a photograph of the same ISO; real noise is never its input. 32 patches of 88x88 of which the
# inner 80x80 are learnt. Tested on the SIDD validation blocks.
_base_ = [
    '../_base_/ridnet_g_1m.py',
    '../_base_/datasets/sidd.py',
    '../_base_/schemes/transferred_reference.py',
]

train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        _delete_=True,
        type='RealTriplets',
        same=('iso',),
        dataset=dict(
            type='StandardSet',
            data_root='data/SIDD_Medium_Srgb',
            layout='sidd_medium',
            direction='clean2noisy',
            cache='work_dirs/cache',
            pipeline=[dict(type='CutMixCrop', size=88)],
        ),
    ),
)
optim_wrapper = dict(optimizer=dict(weight_decay=1e-5))

# NoiseTransfer as published: synthetic noises on DIV2K (0.8) and on smoothed clean images of SIDD
# (0.2), 800 items, and 320 real pairs of SIDD medium, drawn in proportion: 71.43 % and 28.57 %.
# 32 patches of 96x96, 400,000 iterations. Tested on the SIDD validation blocks, paired.
_base_ = [
    '../_base_/models/noise_transfer.py',
    '../_base_/loaders/train_test.py',
    '../_base_/schedules/noise_transfer_400k.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(
        type='MixedSets',
        datasets=[
            dict(
                type='SyntheticTriplets',
                length=800,
                datasets=[
                    dict(
                        type='StandardSet',
                        data_root='data/DIV2K',
                        layout='div2k_train',
                        cache='work_dirs/cache',
                        pipeline=[dict(type='RandomCrop', size=96), dict(type='RandomDihedral')],
                    ),
                    dict(
                        type='CleanFolder',
                        data_root='data/SIDD_Medium_Srgb/Data',
                        pattern=r'.*GT_SRGB.*',
                        cache='work_dirs/cache',
                        pipeline=[
                            dict(type='RandomCrop', size=96),
                            dict(type='RandomDihedral'),
                            dict(type='Smooth', size=21, sigma=3.5),
                        ],
                    ),
                ],
                shares=[0.8, 0.2],
                noise=dict(
                    type='OneOf',
                    noises=[
                        dict(type='GaussianNoise', sigma=(0, 70), unit=255),
                        dict(type='PoissonNoise', peak=(5, 100)),
                        dict(type='PoissonGaussianNoise', peak=(5, 100), sigma=(0, 70), unit=255),
                    ],
                    probs=[0.2, 0.2, 0.6],
                    clip=True,
                ),
            ),
            dict(
                type='RealTriplets',
                same=('iso',),
                dataset=dict(
                    type='StandardSet',
                    data_root='data/SIDD_Medium_Srgb',
                    layout='sidd_medium',
                    direction='clean2noisy',
                    cache='work_dirs/cache',
                    pipeline=[dict(type='CutMixCrop', size=96, mix=0.5)],
                ),
            ),
        ],
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='StandardSet',
        data_root='data/SIDD_Validation_sRGB',
        layout='sidd_validation',
        direction='clean2noisy',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader
val_evaluator = [dict(type='AKLD'), dict(type='KS')]
test_evaluator = val_evaluator

# Small enough for two CPU cores: width 16, 8 patches of 32x32, 2,500 iterations, of which the last
# half lowers the rate to 0. Synthetic noises on CBSD68, and the real noise of two cameras of CC15;
# tested on the third, paired.
_base_ = [
    '../_base_/models/noise_transfer.py',
    '../_base_/loaders/train_test.py',
    '../_base_/schedules/noise_transfer_400k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    generator=dict(width=16),
    discriminator=dict(width=16),
    weights=dict(encoder_features=10.0, judge_features=10.0),
    queue_size=512,
    momentum=0.99,
)
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        type='MixedSets',
        weights=[0.6, 0.4],
        datasets=[
            dict(
                type='SyntheticTriplets',
                datasets=[
                    dict(
                        type='CleanFolder',
                        data_root='data/CBSD68',
                        cache='work_dirs/cache',
                        pipeline=[dict(type='RandomCrop', size=32), dict(type='RandomDihedral')],
                    )
                ],
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
                same=('camera', 'iso'),
                dataset=dict(
                    type='StandardSet',
                    data_root='data/CC15',
                    layout='cc15',
                    direction='clean2noisy',
                    only=dict(camera=['d600', 'd800']),
                    cache='work_dirs/cache',
                    pipeline=[dict(type='CutMixCrop', size=32)],
                ),
            ),
        ],
    ),
)
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='StandardSet',
        data_root='data/CC15',
        layout='cc15',
        direction='clean2noisy',
        only=dict(camera='5dmark3'),
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader
val_evaluator = [dict(type='AKLD'), dict(type='KS')]
test_evaluator = val_evaluator
train_cfg = dict(max_iters=2_500, val_interval=500)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=1e-3, fused=True)),
    discriminator=dict(optimizer=dict(lr=1e-3, fused=True)),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1.0, end_factor=0.0, begin=1_250, end=2_500, by_epoch=False)
]

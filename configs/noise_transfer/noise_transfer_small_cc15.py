# Small enough for a CPU: width 16, 8 patches of 48x48, 2,000 iterations, of which the last half
# lowers the rate to 0. Synthetic noises on CBSD68, and the real noise of one camera of CC15, of
# which a scene is left for validation; tested on another camera, paired. (The third has shots that
# are brighter than their clean images.)
_base_ = [
    '../_base_/models/noise_transfer.py',
    '../_base_/loaders/train_test.py',
    '../_base_/schedules/noise_transfer_400k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    generator=dict(width=16),
    discriminator=dict(width=16, noise_gain=8.0),
    weights=dict(encoder_features=10.0, judge_features=1.0),
    queue_size=0,
    momentum=0.95,
)
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        type='MixedSets',
        weights=[0.4, 0.6],
        datasets=[
            dict(
                type='SyntheticTriplets',
                datasets=[
                    dict(
                        type='CleanFolder',
                        data_root='data/CBSD68',
                        cache='work_dirs/cache',
                        pipeline=[dict(type='RandomCrop', size=48), dict(type='RandomDihedral')],
                    )
                ],
                noise=dict(
                    type='OneOf',
                    noises=[
                        dict(type='GaussianNoise', sigma=(0, 30), unit=255),
                        dict(type='PoissonNoise', peak=(30, 500)),
                        dict(type='PoissonGaussianNoise', peak=(30, 500), sigma=(0, 30), unit=255),
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
                    only=dict(camera='d800', scene=[2, 3]),
                    cache='work_dirs/cache',
                    pipeline=[dict(type='CutMixCrop', size=48)],
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
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='StandardSet',
        data_root='data/CC15',
        layout='cc15',
        direction='clean2noisy',
        only=dict(camera='d800', scene=1),
        cache='work_dirs/cache',
    ),
)
val_evaluator = [dict(type='AKLD'), dict(type='KS')]
test_evaluator = val_evaluator
train_cfg = dict(max_iters=2_000, val_interval=250)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=1e-3, fused=True)),
    discriminator=dict(optimizer=dict(lr=1e-3, fused=True)),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1.0, end_factor=0.0, begin=1_000, end=2_000, by_epoch=False)
]
custom_hooks = [dict(type='ModuleEMAHook', modules=['generator'], decay=0.99)]

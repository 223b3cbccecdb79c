# Clean photographs with synthetic noises for NoiseTransfer: Gaussian, Poisson, and, most often,
# both; parameters drawn anew for every item, the same for its two images.
_base_ = ['./loaders/train_test.py']

train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        type='SyntheticTriplets',
        datasets=[
            dict(
                type='CleanFolder',
                data_root='data/train/clean',
                cache='work_dirs/cache',
                pipeline=[dict(type='RandomCrop', size=96), dict(type='RandomDihedral')],
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
)
test_dataloader = dict(
    dataset=dict(
        type='SyntheticTriplets',
        length=100,
        seed=0,
        datasets=[
            dict(
                type='CleanFolder',
                data_root='data/test/clean',
                cache='work_dirs/cache',
                pipeline=[dict(type='RandomCrop', size=256)],
            )
        ],
        noise=dict(
            type='OneOf',
            noises=[
                dict(type='GaussianNoise', sigma=(0, 50), unit=255),
                dict(type='PoissonNoise', peak=(5, 50)),
                dict(type='PoissonGaussianNoise', peak=(5, 50), sigma=(0, 50), unit=255),
            ],
            clip=True,
        ),
    ),
)
val_dataloader = test_dataloader
val_evaluator = [dict(type='AKLD'), dict(type='KS')]
test_evaluator = val_evaluator

# cGAN (SN-GAN, projection) that takes noisy labels for true: 70 % are replaced by one of all ten.
_base_ = ['../_base_/models/cgan_sngan.py', '../_base_/conditional_cifar10.py']

train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            pipeline=[
                dict(
                    type='NoisyLabel',
                    transition=dict(name='symmetric', rate=0.7),
                    seed=12345,
                ),
                dict(type='NoiseSlot', key='real', fixed=True),
            ]
        )
    )
)

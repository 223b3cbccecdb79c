# Asymmetric label noise, 70 %: truck -> automobile, bird -> airplane, deer -> horse, cat <-> dog.
_base_ = ['./rcgan_sngan_cifar10_symmetric0.7.py']

train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            pipeline=[
                dict(
                    type='NoisyLabel',
                    transition=dict(name='cifar10_asymmetric', rate=0.7),
                    seed=12345,
                ),
                dict(type='NoiseSlot', key='real', fixed=True),
            ]
        )
    )
)
model = dict(transition=dict(name='cifar10_asymmetric', rate=0.7))

# Classes 0 to 6 of CIFAR-10 in three that overlap, as cifar10to5 mod 3; class 6 is any of them.
_base_ = ['./cp_gan_cifar10to5.py']

model = dict(
    data_preprocessor=dict(num_classes=3),
    generator=dict(num_classes=3),
    discriminator=dict(num_classes=3),
)
overlap = dict(type='NoisyLabel', transition='cifar7to3', seed=12345)
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            classes=(0, 1, 2, 3, 4, 5, 6),
            pipeline=[overlap, dict(type='NoiseSlot', key='real', fixed=True)],
        )
    )
)
val_dataloader = dict(dataset=dict(classes=(0, 1, 2, 3, 4, 5, 6), pipeline=[overlap]))
test_dataloader = dict(dataset=dict(classes=(0, 1, 2, 3, 4, 5, 6), pipeline=[overlap]))

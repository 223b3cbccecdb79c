# What conditional GANs have in common on CIFAR-10: each of the five steps of the discriminator has
# 64 images of its own, and every sample carries its label.
_base_ = [
    './datasets/cifar10_gan.py',
    './schedules/conditional_gan_100k.py',
    './default_runtime.py',
]

train_dataloader = dict(
    batch_size=320,
    dataset=dict(
        samples=True, dataset=dict(pipeline=[dict(type='NoiseSlot', key='real', fixed=True)])
    ),
)
default_hooks = dict(checkpoint=dict(interval=5_000))
val_evaluator = [dict(type='FID')]
test_evaluator = val_evaluator

# What conditional GANs have in common on CIFAR-10: each of the five steps of the discriminator has
# 64 images of its own, and every sample carries its label, noisy where the config has label_noise.
# The best checkpoint is that of the smallest sliced Wasserstein distance to clean images, which
# needs no weights.
_base_ = [
    './datasets/cifar10_gan.py',
    './schedules/conditional_gan_100k.py',
    './default_runtime.py',
]

train_dataloader = dict(
    batch_size=320,
    dataset=dict(
        samples=True,
        dataset=dict(
            pipeline=[dict(type='NoisyLabel'), dict(type='NoiseSlot', key='real', fixed=True)]
        ),
    ),
)
default_hooks = dict(
    checkpoint=dict(
        interval=5_000,
        save_best='SWDx1e3(mean,7x7x128,4x128,levels 32-16,images<=4096)',
        rule='less',
    )
)
val_evaluator = [dict(type='NoiseLevel'), dict(type='SlicedWasserstein')]
test_evaluator = val_evaluator

# What all models of the NR-GAN family have in common on CIFAR-10.
_base_ = [
    './datasets/cifar10_gan.py',
    './schedules/nr_gan_200k.py',
    './default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=5_000))
val_evaluator = [dict(type='FID')]
test_evaluator = val_evaluator

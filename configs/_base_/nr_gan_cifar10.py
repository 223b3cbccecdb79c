# What all models of the NR-GAN family have in common on CIFAR-10. The best checkpoint is that of
# the smallest sliced Wasserstein distance to clean images, which needs no weights; by FID:
# --cfg-options val_evaluator.1.type=FID and its name as default_hooks.checkpoint.save_best.
_base_ = [
    './datasets/cifar10_gan.py',
    './schedules/nr_gan_200k.py',
    './default_runtime.py',
]

default_hooks = dict(
    checkpoint=dict(
        interval=5_000,
        save_best='SWDx1e3(mean,7x7x128,4x128,levels 32-16,images<=4096)',
        rule='less',
    )
)
val_evaluator = [dict(type='NoiseLevel'), dict(type='SlicedWasserstein')]
test_evaluator = val_evaluator

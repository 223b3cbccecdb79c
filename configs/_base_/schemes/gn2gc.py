# GN2GC: pairs of a generative model that learnt clean images and noise from noisy images alone.
# Name the model that was trained on your images: scheme.config=... scheme.checkpoint=...
scheme = dict(
    where='data',
    type='GeneratedPairs',
    config='nr_gan/sinrgan1_cifar10_A.py',
    checkpoint='work_dirs/sinrgan1_cifar10_A',
    length=50_000,
)

# Clean images from blurred, noisy and compressed ones.
_base_ = [
    '../_base_/models/bncr_gan.py',
    '../_base_/nr_gan_cifar10.py',
    '../_base_/noise/bncr_fixed.py',
]

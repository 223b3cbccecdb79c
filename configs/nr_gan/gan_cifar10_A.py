_base_ = [
    '../_base_/models/gan.py',
    '../_base_/nr_gan_cifar10.py',
    '../_base_/noise/nrgan_A_fixed.py',
]

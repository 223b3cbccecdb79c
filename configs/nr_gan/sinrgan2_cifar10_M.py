_base_ = [
    '../_base_/models/sinrgan2.py',
    '../_base_/nr_gan_cifar10.py',
    '../_base_/noise/nrgan_M_fixed.py',
]

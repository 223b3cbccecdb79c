_base_ = [
    '../_base_/models/sdnrgan2.py',
    '../_base_/nr_gan_cifar10.py',
    '../_base_/noise/nrgan_A_fixed.py',
]

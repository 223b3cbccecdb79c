_base_ = [
    '../_base_/models/sdnrgan3.py',
    '../_base_/nr_gan_cifar10.py',
    '../_base_/noise/nrgan_clean_fixed.py',
]

# cGAN (SN-GAN, projection) that takes noisy labels for true.
_base_ = [
    '../_base_/models/cgan_sngan.py',
    '../_base_/conditional_cifar10.py',
    '../_base_/label_noise/symmetric0.7.py',
]

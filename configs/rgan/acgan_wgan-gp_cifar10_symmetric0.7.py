# AC-GAN (WGAN-GP) that takes noisy labels for true.
_base_ = [
    '../_base_/models/acgan_wgan-gp.py',
    '../_base_/conditional_cifar10.py',
    '../_base_/label_noise/symmetric0.7.py',
]

# rcGAN, told how labels became noisy.
_base_ = [
    '../_base_/models/cgan_sngan.py',
    '../_base_/conditional_cifar10.py',
    '../_base_/label_noise/cifar10_asymmetric0.7.py',
]

label_noise = dict(known=True)

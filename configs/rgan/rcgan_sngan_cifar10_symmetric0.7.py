# The same, told how labels became noisy.
_base_ = ['./cgan_sngan_cifar10_symmetric0.7.py']

label_noise = dict(known=True)

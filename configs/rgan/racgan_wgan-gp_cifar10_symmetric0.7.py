# The same, told how labels became noisy.
_base_ = ['./acgan_wgan-gp_cifar10_symmetric0.7.py']

label_noise = dict(known=True)

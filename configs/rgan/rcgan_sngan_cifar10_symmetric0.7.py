# The same, told how labels became noisy: T of the data and of the model are one.
_base_ = ['./cgan_sngan_cifar10_symmetric0.7.py']

model = dict(transition=dict(name='symmetric', rate=0.7))

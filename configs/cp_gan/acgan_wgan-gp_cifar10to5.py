# What CP-GAN is compared with: AC-GAN, conditioned on the given labels.
_base_ = ['./cp_gan_cifar10to5.py']

model = dict(posterior=False, generator_class_weight=0.1, discriminator=dict(dropout=None))

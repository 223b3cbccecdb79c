# CP-GAN: AC-GAN by WGAN-GP conditioned on the classifier's posterior, dropout in the discriminator.
_base_ = ['./acgan_wgan-gp.py']

model = dict(
    discriminator=dict(dropout=(0.2, 0.5, 0.5)), posterior=True, generator_class_weight=0.4
)

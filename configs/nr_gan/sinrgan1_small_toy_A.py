_base_ = [
    '../_base_/models/sinrgan1.py',
    '../_base_/nr_gan_toy.py',
    '../_base_/noise/nrgan_A_fixed.py',
]

model = dict(
    generator=dict(latent_channels=32, channels=16),
    degradation=dict(network=dict(latent_channels=32, channels=16)),
    discriminator=dict(channels=16),
)

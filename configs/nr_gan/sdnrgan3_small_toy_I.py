_base_ = [
    '../_base_/models/sdnrgan3.py',
    '../_base_/nr_gan_toy.py',
    '../_base_/noise/nrgan_I_fixed.py',
]

model = dict(
    generator=dict(latent_channels=32, channels=16),
    degradation=dict(network=dict(latent_channels=64, channels=16)),
    discriminator=dict(channels=16),
)

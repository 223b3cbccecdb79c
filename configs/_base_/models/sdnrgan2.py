# SD-NR-GAN-II: Gaussian noise, independent pixels given the image; its relation to the image is
# learnt, through a latent that the noise generator shares with the image generator.
_base_ = ['./sinrgan1.py']

model = dict(degradation=dict(network=dict(latent_channels=256), implicit=True))

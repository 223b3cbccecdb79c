# SI-NR-GAN-I: noise that ignores the image, Gaussian, independent pixels, unknown level.
_base_ = ['./gan.py']

model = dict(
    degradation=dict(
        type='LearnedNoise',
        network=dict(type='NRGANGenerator', latent_channels=128, channels=128, image_size=32),
        prior=dict(type='AdditiveGaussianPrior'),
        constraints=[],
        implicit=False,
        diversity=dict(type='DiversityLoss', weight=0.02),
    )
)

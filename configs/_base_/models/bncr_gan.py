# BNCR-GAN in our reading of its abstract, on NR-GAN's networks for 32x32: kernels, noise and
# qualities come from generators of their own. Sizes of kernel and nets, weights and mu are ours.
_base_ = ['./gan.py']

model = dict(
    degradation=dict(
        type='DegradationChain',
        blocks=dict(
            blur=dict(
                type='LearnedBlur',
                network=dict(type='VectorGenerator', out_features=122, latent_channels=128),
                size=11,
                weight=1.0,
                mu=1.0,
            ),
            noise=dict(
                type='LearnedNoise',
                network=dict(
                    type='NRGANGenerator', latent_channels=128, channels=128, image_size=32
                ),
                prior=dict(type='AdditiveGaussianPrior'),
                diversity=dict(type='DiversityLoss', weight=0.02),
            ),
            compression=dict(
                type='LearnedCompression',
                network=dict(type='VectorGenerator', out_features=2, latent_channels=128),
                quality=(1, 100),
                weight=1.0,
                mu=1.0,
            ),
        ),
    )
)

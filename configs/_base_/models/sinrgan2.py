# SI-NR-GAN-II: noise of unknown kind that ignores the image and stays the same under rotation,
# exchange of channels and inversion of colours, as images do not.
_base_ = ['./sinrgan1.py']

model = dict(
    degradation=dict(
        prior=None,
        constraints=[
            dict(type='NoiseRotation'),
            dict(type='NoiseChannelShuffle'),
            dict(type='NoiseColorInversion'),
        ],
    )
)

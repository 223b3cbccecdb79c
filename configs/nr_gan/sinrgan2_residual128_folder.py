# As sinrgan1_residual128_folder.py, for noise of unknown kind.
_base_ = ['./sinrgan1_residual128_folder.py']

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

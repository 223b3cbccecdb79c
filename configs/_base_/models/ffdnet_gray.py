# FFDNet for grey images: 15 layers, 485,316 parameters; it is told the level of the noise.
model = dict(
    type='RestorationModel',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[0,1]', noise_level='known'),
    generator=dict(type='FFDNet', in_channels=1, residual=False),
    losses=dict(pixel=dict(type='MSELoss', reduction='half_sum')),
    channels_last=True,
)

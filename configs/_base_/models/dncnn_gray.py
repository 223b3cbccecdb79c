# DnCNN for grey images at one noise level: 17 layers, batch norm, 556,032 parameters.
model = dict(
    type='RestorationModel',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[0,1]'),
    generator=dict(type='DnCNN', in_channels=1, depth=17, width=64, norm=True),
    losses=dict(pixel=dict(type='MSELoss', reduction='half_sum')),
    channels_last=True,
)

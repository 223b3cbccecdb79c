# NAFNet of width 32 as published for SIDD, 29,159,715 parameters; width 64: 115,982,915.
model = dict(
    type='RestorationModel',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[0,1]'),
    generator=dict(type='NAFNet', in_channels=3, width=32),
    losses=dict(pixel=dict(type='L1Loss')),
    channels_last=True,
)

# RIDNet for colour images, 1,499,347 parameters.
# Released weights of its authors want generator.scale=255 and a mean; tools/convert.py prints both.
model = dict(
    type='RestorationModel',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[0,1]'),
    generator=dict(type='RIDNet', variant='ridnet', scale=1, mean=None),
    losses=dict(pixel=dict(type='L1Loss')),
    channels_last=True,
)

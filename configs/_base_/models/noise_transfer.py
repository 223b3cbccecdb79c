# NoiseTransfer (Lee and Kim 2022): VUNet with 7,384,832 and ContraE with 9,382,272 parameters; a
# queue of 4,096 embeddings.
model = dict(
    type='NoiseTransfer',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[0,1]'),
    generator=dict(type='VUNet', width=64),
    discriminator=dict(type='ContraE', width=64),
    gan_loss=dict(type='VanillaGANLoss', weight=1.0, d_weight=0.5),
    weights=dict(
        contrast=1.0,
        consistency=100.0,
        encoder_features=100.0,
        judge_features=100.0,
        d_contrast=1.0,
    ),
    temperature=0.1,
    queue_size=4096,
    momentum=0.999,
)

# CycleGAN (Zhu et al. 2017): two residual generators of 11,378,179 parameters (9 blocks, instance
# norm) and two 70x70 PatchGANs of 2,764,737 parameters for single images.
model = dict(
    type='CycleGAN',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[-1,1]', pad_multiple=4),
    generator=dict(
        type='ResNetGenerator',
        in_channels=3,
        out_channels=3,
        num_blocks=9,
        width=64,
        norm='instance',
    ),
    discriminator=dict(type='PatchGAN', in_channels=3, num_layers=3, width=64, norm='instance'),
    gan_loss=dict(type='LeastSquaresGANLoss', weight=1.0, d_weight=0.5),
    cycle=dict(type='L1Loss', weight=10.0),
    identity=dict(type='L1Loss', weight=0.5),  # None: without
    pool_size=50,
)

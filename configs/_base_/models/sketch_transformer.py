# Sketch-Transformer, our completion of an under-specified paper: generator of 53,089,459 and
# discriminator of 2,766,913 parameters. The perceptual term needs the weights of VGG-19.
model = dict(
    type='AdversarialModel',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[-1,1]', pad_multiple=16),
    generator=dict(
        type='SketchTransformer',
        in_channels=3,
        out_channels=3,
        width=64,
        patch=16,
        layers=6,
        heads=8,
        position='coord',
    ),
    discriminator=dict(
        type='PatchGAN',
        in_channels=6,
        num_layers=3,
        width=64,
        norm='instance',
        padding=2,
        spectral_norm=True,
        bias=False,
        num_scales=1,
        init='xavier',
    ),
    gan_loss=dict(type='LeastSquaresGANLoss', weight=1.0, d_weight=0.5),
    losses=dict(
        pixel=dict(type='L1Loss', weight=10.0),
        perceptual=dict(
            type='PerceptualLoss',
            weight=5.0,
            layers=dict(relu1_1=0.03125, relu2_1=0.0625, relu3_1=0.125, relu4_1=0.25, relu5_1=1.0),
            vgg_norm=True,
        ),
    ),
    conditional=True,
)

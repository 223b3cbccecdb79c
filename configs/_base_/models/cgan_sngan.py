# cGAN with projection discriminator and spectral normalisation (SN-GAN), hinge loss, 32x32, 10
# classes: generator 4,304,387 parameters, discriminator 1,055,104. With model.transition: rcGAN.
model = dict(
    type='ConditionalGAN',
    data_preprocessor=dict(type='LabelledPreprocessor', num_classes=10, value_range='[-1,1]'),
    generator=dict(
        type='ConditionalGenerator',
        num_classes=10,
        latent_channels=128,
        channels=256,
        image_size=32,
    ),
    discriminator=dict(
        type='ConditionalDiscriminator',
        num_classes=10,
        head='projection',
        channels=128,
        pool='sum',
        spectral_norm=True,
        dropout=None,
    ),
    gan_loss=dict(type='HingeGANLoss'),
    d_steps=5,
    generator_batch_factor=2,
)

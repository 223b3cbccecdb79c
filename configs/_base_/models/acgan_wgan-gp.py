# AC-GAN by WGAN-GP, 32x32, 10 classes: generator 1,218,307 parameters, discriminator with a
# classifier head 1,055,115. With model.transition it is rAC-GAN.
model = dict(
    type='ConditionalGAN',
    data_preprocessor=dict(type='LabelledPreprocessor', num_classes=10, value_range='[-1,1]'),
    generator=dict(
        type='ConditionalGenerator',
        num_classes=10,
        latent_channels=128,
        channels=128,
        image_size=32,
    ),
    discriminator=dict(
        type='ConditionalDiscriminator',
        num_classes=10,
        head='classifier',
        channels=128,
        pool='mean',
        spectral_norm=False,
        dropout=None,
    ),
    gan_loss=dict(type='WassersteinGANLoss'),
    penalty=dict(type='GradientPenalty', weight=10.0),
    posterior=False,
    class_weight=1.0,
    generator_class_weight=0.1,
    d_steps=5,
    generator_batch_factor=2,
)

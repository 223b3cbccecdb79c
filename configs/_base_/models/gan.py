# A GAN that imitates its data, noise included: what NR-GAN is compared with. CIFAR-10 networks of
# NR-GAN: generator 1,202,691 parameters, discriminator 1,053,825 (1,057,665 with the blurred view).
model = dict(
    type='NRGAN',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[-1,1]', dequantise=True),
    generator=dict(type='NRGANGenerator', latent_channels=128, channels=128, image_size=32),
    degradation=dict(type='NoDegradation'),
    discriminator=dict(type='NRGANDiscriminator', in_channels=3, channels=128),
    gan_loss=dict(type='VanillaGANLoss'),
    penalty=dict(type='R1Penalty', weight=20.0),  # with its 1/2: the published weight 10
    penalty_interval=1,
    view=dict(type='BlurView', data_noise=None),  # blurs for Poisson noise alone
    generator_batch_factor=2,
    channels_last=True,  # faster convolutions, the same weights
    finish=dict(clip=True, dither_fakes=False, scale_noise=False),
)

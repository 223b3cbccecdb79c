# pix2pix (Isola et al. 2017): U-Net with 54,414,531 and 70x70 PatchGAN with 2,768,705 parameters.
model = dict(
    type='AdversarialModel',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[-1,1]', pad_multiple=256),
    generator=dict(
        type='UNetGenerator', in_channels=3, out_channels=3, num_downs=8, width=64, norm='batch'
    ),
    discriminator=dict(type='PatchGAN', in_channels=6, num_layers=3, width=64, norm='batch'),
    gan_loss=dict(type='VanillaGANLoss', weight=1.0, d_weight=0.5),
    losses=dict(pixel=dict(type='L1Loss', weight=100.0)),
    conditional=True,
)

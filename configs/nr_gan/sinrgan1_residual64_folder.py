# 64 x 64 pixels: residual generators of 9,395,907 parameters, discriminator of 7,299,265. NR-GAN's
# networks and learning rates for large images are not published; this is a start. TTUR: other
# learning rates for the two.
_base_ = ['./sinrgan1_folder.py']

model = dict(
    generator=dict(
        _delete_=True,
        type='ResidualGANGenerator',
        latent_channels=256,
        channels=64,
        max_channels=512,
        image_size=64,
    ),
    degradation=dict(
        network=dict(
            _delete_=True,
            type='ResidualGANGenerator',
            latent_channels=256,
            channels=64,
            max_channels=512,
            image_size=64,
        )
    ),
    discriminator=dict(
        _delete_=True,
        type='ResidualGANDiscriminator',
        in_channels=3,
        channels=64,
        max_channels=512,
        image_size=64,
    ),
)
optim_wrapper = dict(
    discriminator=dict(optimizer=dict(lr=1e-4)), generator=dict(optimizer=dict(lr=1e-4))
)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=[dict(type='CenterCrop', size=64)])))
val_dataloader = dict(dataset=dict(pipeline=[dict(type='CenterCrop', size=64)]))
test_dataloader = dict(dataset=dict(pipeline=[dict(type='CenterCrop', size=64)]))

# Generator and discriminator, Adam as in pix2pix: constant, then linear to zero. `end` is explicit.
train_cfg = dict(type='IterTrainLoop', max_iters=100_000, val_interval=5_000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='MultiOptimConstructor',
    generator=dict(optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))),
    discriminator=dict(optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))),
)
param_scheduler = dict(
    generator=[
        dict(
            type='LinearLR',
            start_factor=1.0,
            end_factor=0.0,
            begin=50_000,
            end=100_000,
            by_epoch=False,
        )
    ],
    discriminator=[
        dict(
            type='LinearLR',
            start_factor=1.0,
            end_factor=0.0,
            begin=50_000,
            end=100_000,
            by_epoch=False,
        )
    ],
)

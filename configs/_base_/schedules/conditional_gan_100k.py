# rGAN and CP-GAN: 100,000 iterations of five steps of the discriminator and one of the generator,
# learning rate linear to zero over all of them, no moving average.
train_cfg = dict(type='IterTrainLoop', max_iters=100_000, val_interval=5_000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='MultiOptimConstructor',
    discriminator=dict(optimizer=dict(type='Adam', lr=2e-4, betas=(0.0, 0.9))),
    generator=dict(optimizer=dict(type='Adam', lr=2e-4, betas=(0.0, 0.9))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1.0, end_factor=0.0, begin=0, end=100_000, by_epoch=False)
]
custom_hooks = [dict(type='GeneratedGridHook', interval=5_000, count=10)]

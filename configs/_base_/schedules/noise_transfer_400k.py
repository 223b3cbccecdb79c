# NoiseTransfer: 200 times 2,000 iterations, constant learning rate, Adam for both networks.
train_cfg = dict(type='IterTrainLoop', max_iters=400_000, val_interval=10_000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='MultiOptimConstructor',
    generator=dict(optimizer=dict(type='Adam', lr=1e-4, betas=(0.5, 0.99), weight_decay=1e-7)),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-4, betas=(0.5, 0.99), weight_decay=1e-7)),
)
param_scheduler = []

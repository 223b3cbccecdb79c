# NR-GAN on CIFAR-10: 200,000 iterations of one step each, constant learning rate, moving average of
# 0.999. TTUR: other learning rates for generator and discriminator.
train_cfg = dict(type='IterTrainLoop', max_iters=200_000, val_interval=5_000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='MultiOptimConstructor',
    discriminator=dict(optimizer=dict(type='Adam', lr=2e-4, betas=(0.0, 0.99))),
    generator=dict(optimizer=dict(type='Adam', lr=2e-4, betas=(0.0, 0.99))),
)
custom_hooks = [
    dict(type='ModuleEMAHook', modules=['generator', 'degradation'], decay=0.999),
    dict(type='GeneratedGridHook', interval=5_000, count=8),
]

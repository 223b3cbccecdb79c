# What the small recipes of the NR-GAN family have in common: shapes of 32 x 32 pixels, a few
# minutes on a CPU.
_base_ = [
    './datasets/toy_gan.py',
    './schedules/nr_gan_200k.py',
    './default_runtime.py',
]

train_dataloader = dict(batch_size=16)
train_cfg = dict(max_iters=2_000, val_interval=500)
optim_wrapper = dict(
    discriminator=dict(optimizer=dict(lr=1e-3)), generator=dict(optimizer=dict(lr=1e-3))
)
custom_hooks = [
    dict(type='ModuleEMAHook', modules=['generator', 'degradation'], decay=0.99),
    dict(type='GeneratedGridHook', interval=500, count=8),
]
default_hooks = dict(
    checkpoint=dict(
        interval=500,
        max_keep_ckpts=1,
        save_best='SWDx1e3(mean,7x7x128,4x128,levels 32-16,images<=512)',
        rule='less',
    )
)
val_evaluator = [
    dict(type='NoiseLevel'),
    dict(type='SlicedWasserstein', image_size=32, max_images=512),
]
test_evaluator = val_evaluator

# Photograph -> pencil drawing with a small CycleGAN, in a few minutes on a CPU.
# Batch norm keeps the contrast of the photograph, which instance norm would take away.
_base_ = [
    '../_base_/models/cyclegan_resnet.py',
    '../_base_/datasets/toy_pencil.py',
    '../_base_/schedules/gan_adam_100k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    generator=dict(num_blocks=2, width=12, norm='batch'),
    discriminator=dict(num_layers=2, width=16),
    identity=None,
)
train_dataloader = dict(batch_size=2)
train_cfg = dict(max_iters=1_000, val_interval=1_000)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=1e-3)), discriminator=dict(optimizer=dict(lr=1e-3))
)
param_scheduler = [  # of both optimisers
    dict(type='LinearLR', start_factor=1.0, end_factor=0.0, begin=600, end=1_000, by_epoch=False)
]
default_hooks = dict(checkpoint=dict(interval=500, max_keep_ckpts=1))
val_evaluator = [dict(type='PSNR'), dict(type='SSIM')]
test_evaluator = val_evaluator

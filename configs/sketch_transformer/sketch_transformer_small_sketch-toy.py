# Small: photograph -> pencil drawing, stand-in data at a quarter of the size of CUFS, on a CPU.
# No perceptual term: it needs the weights of VGG-19.
_base_ = [
    '../_base_/models/sketch_transformer.py',
    '../_base_/datasets/sketch_toy.py',
    '../_base_/schedules/sketch_200epochs.py',
    '../_base_/default_runtime.py',
]

model = dict(
    generator=dict(width=8, patch=8, layers=2, heads=4),
    discriminator=dict(num_layers=2, width=16),
    losses=dict(_delete_=True, pixel=dict(type='L1Loss', weight=10.0)),
)
train_cfg = dict(max_iters=1_500, val_interval=1_500)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=1e-3)), discriminator=dict(optimizer=dict(lr=1e-3))
)
param_scheduler = [  # of both optimisers
    dict(type='LinearLR', start_factor=1.0, end_factor=0.0, begin=750, end=1_500, by_epoch=False)
]
custom_hooks = [dict(type='ModuleEMAHook', modules=['generator'], decay=0.99)]
default_hooks = dict(checkpoint=dict(interval=500, max_keep_ckpts=1))
val_evaluator = [dict(type='PSNR'), dict(type='SSIM'), dict(type='FSIM')]
test_evaluator = val_evaluator

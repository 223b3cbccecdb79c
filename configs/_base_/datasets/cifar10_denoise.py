# Denoising CIFAR-10: clean images, which the noise of the config makes noisy; with
# noise.where=pipeline an image has the same noise whenever it is seen, as a noisy photograph has.
train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='CIFAR10',
        data_root='data/cifar10',
        split='train',
        cache='work_dirs/cache',
        pipeline=[
            dict(type='ToFloat'),
            dict(type='NoiseSlot', fixed=True),
            dict(type='RandomDihedral'),
        ],
    ),
)
test_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='CIFAR10',
        data_root='data/cifar10',
        split='test',
        cache='work_dirs/cache',
        pipeline=[dict(type='ToFloat'), dict(type='NoiseSlot')],
    ),
)
val_dataloader = test_dataloader

# CIFAR-10 as NR-GAN uses it: no augmentation, noise fixed per image, kept as float (not rounded).
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='CIFAR10',
        data_root='data/cifar10',
        split='train',
        input_name='real',
        cache='work_dirs/cache',
        pipeline=[dict(type='ToFloat'), dict(type='NoiseSlot', key='real', fixed=True)],
    ),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='CIFAR10',
        data_root='data/cifar10',
        split='test',
        input_name='real',
        cache='work_dirs/cache',
        pipeline=[dict(type='ToFloat')],
    ),
)
val_dataloader = test_dataloader

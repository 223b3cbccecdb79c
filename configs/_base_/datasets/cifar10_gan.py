# CIFAR-10 for GANs that learn from noisy images: in training `real`, with the noise of the config
# fixed per image and not rounded; clean images to compare with in validation and test, of the
# training part too. The noisy images are kept whole in memory and, one file per noise, in the cache
# (586 MiB each).
train_dataloader = dict(
    batch_size=64,
    num_workers=0,  # a batch is one gather: workers would not help
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='WholeSet',
        cache='work_dirs/cache',
        dataset=dict(
            type='CIFAR10',
            data_root='data/cifar10',
            split='train',
            input_name='real',
            cache='work_dirs/cache',
            pipeline=[dict(type='ToFloat'), dict(type='NoiseSlot', key='real', fixed=True)],
        ),
    ),
)
val_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='CIFAR10',
        data_root='data/cifar10',
        split='train',
        length=5000,  # every tenth; as many images are generated
        cache='work_dirs/cache',
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
        split='train',
        length=50000,
        cache='work_dirs/cache',
    ),
)

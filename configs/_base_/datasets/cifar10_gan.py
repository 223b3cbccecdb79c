# CIFAR-10 for GANs that learn from noisy images: in training `real`, with the noise of the config
# fixed per image and not rounded; clean images to compare with in validation and test, all of the
# training part as in NR-GAN. The training images are kept whole in memory (586 MiB).
train_dataloader = dict(
    batch_size=64,
    num_workers=0,  # a batch is one gather: workers would not help
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='WholeSet',
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
        length=5000,  # as many images are generated
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

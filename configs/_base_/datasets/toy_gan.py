# Shapes on colour gradients, 32 x 32, drawn anew at every start: nothing to download. As
# cifar10_gan.py otherwise: noisy `real` in training, clean `target` in validation and test.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,  # a batch is one gather: workers would not help
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='WholeSet',
        dataset=dict(
            type='ToyShapes',
            length=2000,
            size=32,
            pipeline=[
                dict(type='Rename', target='real'),
                dict(type='ToFloat'),
                dict(type='NoiseSlot', key='real', fixed=True),
            ],
        ),
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(type='ToyShapes', length=512, size=32),
)
test_dataloader = val_dataloader

# A folder of your own noisy images, of one size that the networks take; no noise is added.
# Nothing may scale them, for that changes the noise: cut them (CenterCrop).
# Validation and test need no clean images: the noisy ones only say how many images are generated
# and stand beside them as `input`, so choose metrics without reference (NoiseLevel). With clean
# images, for FID and the like:
# val_dataloader = dict(dataset=dict(_delete_=True, type='CleanFolder', data_root='data/clean',
#                                    pipeline=[dict(type='CenterCrop', size=32)]))
train_dataloader = dict(
    batch_size=64,
    num_workers=0,  # a batch is one gather: workers would not help
    sampler=dict(type='CounterSampler', shuffle=True),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='WholeSet',
        dataset=dict(
            type='NoisyFolder',
            data_root='data/noisy',
            cache='work_dirs/cache',
            pipeline=[dict(type='CenterCrop', size=32)],
        ),
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='NoisyFolder',
        data_root='data/noisy',
        cache='work_dirs/cache',
        pipeline=[dict(type='CenterCrop', size=32)],
    ),
)
test_dataloader = val_dataloader

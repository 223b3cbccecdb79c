# Real pairs of any folders for NoiseTransfer, source clean and target noisy. Names such as
# canon_iso3200_07.png tell which were taken alike; another rule: facts.
_base_ = ['./loaders/train_test.py']

train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        type='RealTriplets',
        facts=r'(?i)iso_?(?P<iso>\d+)',
        same=('iso',),
        dataset=dict(
            type='PairedFolder',
            source_root='data/train/clean',
            target_root='data/train/noisy',
            cache='work_dirs/cache',
            pipeline=[dict(type='CutMixCrop', size=96)],
        ),
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='PairedFolder',
        source_root='data/test/clean',
        target_root='data/test/noisy',
    ),
)
val_dataloader = test_dataloader
val_evaluator = [dict(type='AKLD'), dict(type='KS')]
test_evaluator = val_evaluator

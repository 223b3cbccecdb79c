# A folder of noisy photographs and nothing else; tested on noisy and clean pairs.
_base_ = ['./dncnn_color.py', '../_base_/schemes/noise2void.py']

train_dataloader = dict(dataset=dict(type='NoisyFolder', data_root='data/train/noisy'))
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PairedFolder',
        source_root='data/test/noisy',
        target_root='data/test/clean',
    )
)
val_dataloader = test_dataloader

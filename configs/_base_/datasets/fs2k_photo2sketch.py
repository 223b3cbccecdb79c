# FS2K, or any folders photo/ and sketch/ whose names differ: photo/photo1/image0001.jpg belongs to
# sketch/sketch1/sketch0001.jpg, and both are called 1/0001 in the list. Images of 250 x 250.
# There is no default split: data/FS2K/list.txt has lines 'FS2K train 1/0001' (docs/data.md).
_base_ = ['./cufs_photo2sketch.py']

test_dataloader = dict(
    dataset=dict(
        type='FaceSketches',
        data_root='data',
        databases=dict(FS2K=None),
        list_file='data/FS2K/list.txt',
        size=(250, 250),
        photo=dict(pattern=r'photo(\d+)/\D*(\d+)'),
        sketch=dict(pattern=r'sketch(\d+)/\D*(\d+)'),
    )
)
train_dataloader = test_dataloader
val_dataloader = test_dataloader

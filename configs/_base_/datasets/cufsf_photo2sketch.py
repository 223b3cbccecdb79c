# CUFSF, photograph (FERET) -> sketch: 250 pairs for training, 944 for the test.
# Layout: data/CUFSF/{photo,sketch}/NAME.*; all else as in CUFS.
_base_ = ['./cufs_photo2sketch.py']

train_dataloader = dict(dataset=dict(type='CUFSF', data_root='data'))
test_dataloader = dict(dataset=dict(type='CUFSF', data_root='data'))
val_dataloader = dict(dataset=dict(type='CUFSF', data_root='data'))

# CUFSF, sketch -> photograph.
_base_ = ['./cufsf_photo2sketch.py']

train_dataloader = dict(dataset=dict(direction='sketch2photo'))
test_dataloader = dict(dataset=dict(direction='sketch2photo'))
val_dataloader = dict(dataset=dict(direction='sketch2photo'))

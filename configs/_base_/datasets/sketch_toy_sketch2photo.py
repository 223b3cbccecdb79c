# The stand-in for face sketches, drawing -> photograph.
_base_ = ['./sketch_toy.py']

train_dataloader = dict(dataset=dict(task='pencil_to_photo'))
test_dataloader = dict(dataset=dict(task='pencil_to_photo'))
val_dataloader = dict(dataset=dict(task='pencil_to_photo'))

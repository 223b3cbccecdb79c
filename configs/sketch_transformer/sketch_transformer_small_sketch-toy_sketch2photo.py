# The small recipe, drawing -> photograph.
_base_ = ['./sketch_transformer_small_sketch-toy.py']

train_dataloader = dict(dataset=dict(task='pencil_to_photo'))
test_dataloader = dict(dataset=dict(task='pencil_to_photo'))
val_dataloader = dict(dataset=dict(task='pencil_to_photo'))

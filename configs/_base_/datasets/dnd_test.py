# Predict the 1000 crops of DND and write what its server takes: upload work_dirs/dnd/bundled.
_base_ = ['../loaders/test.py']

test_dataloader = dict(
    dataset=dict(type='DND', data_root='data/DND'),
)
val_dataloader = test_dataloader
test_evaluator = [dict(type='NoiseLevel'), dict(type='DNDSubmission', folder='work_dirs/dnd')]

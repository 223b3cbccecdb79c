# Predict the 1000 crops of DND and write what its server takes: upload work_dirs/dnd/bundled.
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(type='DND', data_root='data/DND'),
)
val_dataloader = test_dataloader
test_evaluator = [dict(type='NoiseLevel'), dict(type='DNDSubmission', folder='work_dirs/dnd')]

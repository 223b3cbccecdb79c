# Predict the SIDD benchmark blocks and write what its judges take. Their clean images are secret:
# no metric that compares works. Upload work_dirs/sidd_benchmark/SubmitSrgb.csv (or .mat).
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=False),
    collate_fn=dict(type='edit_collate'),
    dataset=dict(
        type='StandardSet',
        data_root='data/SIDD_Benchmark_sRGB',
        layout='sidd_benchmark',
        cache='work_dirs/cache',
    ),
)
val_dataloader = test_dataloader
test_evaluator = [
    dict(type='NoiseLevel'),
    dict(type='SIDDSubmission', folder='work_dirs/sidd_benchmark'),
]

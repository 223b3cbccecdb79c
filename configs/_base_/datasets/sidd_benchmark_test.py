# Predict the SIDD benchmark blocks and write what its judges take. Their clean images are secret:
# no metric that compares works. Upload work_dirs/sidd_benchmark/SubmitSrgb.csv (or .mat).
_base_ = ['../loaders/test.py']

test_dataloader = dict(
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

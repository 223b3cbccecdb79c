# What all models of the NR-GAN family have in common on a folder of your own noisy images. Without
# clean images only metrics without reference can be computed; the last checkpoint is kept.
_base_ = [
    './datasets/noisy_folder_gan.py',
    './schedules/nr_gan_200k.py',
    './default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=5_000))
val_evaluator = [dict(type='NoiseLevel'), dict(type='NoiseLevel', image='input')]
test_evaluator = val_evaluator

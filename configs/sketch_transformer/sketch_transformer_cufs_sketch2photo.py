# The other direction: a model of its own, roles swapped.
_base_ = [
    '../_base_/models/sketch_transformer.py',
    '../_base_/datasets/cufs_sketch2photo.py',
    '../_base_/metrics/photo.py',
    '../_base_/schedules/sketch_200epochs.py',
    '../_base_/default_runtime.py',
]

# Sketch-Transformer (completed), photograph -> sketch on CUFS.
_base_ = [
    '../_base_/models/sketch_transformer.py',
    '../_base_/datasets/cufs_photo2sketch.py',
    '../_base_/metrics/sketch.py',
    '../_base_/schedules/sketch_200epochs.py',
    '../_base_/default_runtime.py',
]

# Sketch-Transformer (completed), sketch -> photograph on CUFSF: 250 pairs, 214 passes.
_base_ = [
    '../_base_/models/sketch_transformer.py',
    '../_base_/datasets/cufsf_sketch2photo.py',
    '../_base_/metrics/photo.py',
    '../_base_/schedules/sketch_200epochs.py',
    '../_base_/default_runtime.py',
]

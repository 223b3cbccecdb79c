# The baseline, trained on sketches with Gaussian noise of variance 0.08, in the border too.
_base_ = ['./sketch_transformer_cufs_sketch2photo.py', '../_base_/noise/gaussian_v0.08.py']

# The baseline, trained on photographs with Gaussian noise of variance 0.08, in the border too.
_base_ = ['./sketch_transformer_cufs_photo2sketch.py', '../_base_/noise/gaussian_v0.08.py']

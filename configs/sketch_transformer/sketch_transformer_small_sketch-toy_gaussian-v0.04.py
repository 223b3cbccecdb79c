# The small baseline, trained on photographs with Gaussian noise of variance 0.04.
_base_ = ['./sketch_transformer_small_sketch-toy.py', '../_base_/noise/gaussian_v0.04.py']

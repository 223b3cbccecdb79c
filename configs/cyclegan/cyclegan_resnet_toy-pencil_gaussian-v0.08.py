# The baseline, trained on sources with Gaussian noise of variance 0.08.
_base_ = ['./cyclegan_resnet_toy-pencil.py', '../_base_/noise/gaussian_v0.08.py']

# The noise of the images must be known: --noise PRESET, or --cfg-options noise.train.sigma=30 ...
_base_ = ['../_base_/models/ambientgan.py', '../_base_/nr_gan_folder.py']

noise = dict(where='measurement', train=dict(type='GaussianNoise', sigma=25, unit=255))

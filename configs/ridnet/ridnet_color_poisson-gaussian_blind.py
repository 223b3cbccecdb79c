# Colour, Gaussian, photon or both noises of random levels, not given; tested with both.
_base_ = ['./ridnet_color.py', '../_base_/noise/gaussian_poisson_blind.py']

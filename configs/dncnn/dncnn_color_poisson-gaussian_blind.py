# Colour, photon noise of chi 5 to 50 and read noise of sigma 0 to 50, not given; tested at 30, 25.
_base_ = ['./dncnn_color.py', '../_base_/noise/poisson_gaussian_blind.py']

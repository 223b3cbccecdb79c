# Colour, every sigma of U(0, 75), given to the network; tested at noise.test.sigma, 25.
_base_ = ['./ffdnet_color.py', '../_base_/noise/awgn_blind0-75.py']

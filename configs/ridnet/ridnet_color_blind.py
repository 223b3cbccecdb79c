# Colour, every sigma of U(0, 55), which the network is not told; tested at 25.
_base_ = ['./ridnet_color.py', '../_base_/noise/awgn_blind0-55.py']

# Grey, every sigma of U(0, 75), given to the network; tested at noise.test.sigma, 25.
_base_ = ['./ffdnet_gray.py', '../_base_/noise/awgn_blind0-75.py']

# Colour, sigma 25, without clean targets.
_base_ = ['./dncnn_color_awgn25.py', '../_base_/schemes/noise2noise.py']

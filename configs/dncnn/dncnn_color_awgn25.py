# DnCNN for colour images, sigma 25.
_base_ = ['./dncnn_color.py', '../_base_/noise/awgn25.py']

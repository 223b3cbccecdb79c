# DnCNN-S, sigma 25.
_base_ = ['./dncnn_gray.py', '../_base_/noise/awgn25.py']

# DnCNN-S, sigma 50.
_base_ = ['./dncnn_gray.py', '../_base_/noise/awgn50.py']

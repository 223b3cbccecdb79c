# DnCNN-S, sigma 15.
_base_ = ['./dncnn_gray.py', '../_base_/noise/awgn15.py']

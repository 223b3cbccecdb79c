# The same at sigma 15.
_base_ = ['./dncnn_gray_awgn25.py']

noise = dict(train=dict(sigma=15), test=dict(sigma=15))

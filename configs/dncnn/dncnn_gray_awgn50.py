# The same at sigma 50.
_base_ = ['./dncnn_gray_awgn25.py']

noise = dict(train=dict(sigma=50), test=dict(sigma=50))

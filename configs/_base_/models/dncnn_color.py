# DnCNN for colour images: 20 layers, batch norm.
_base_ = ['./dncnn_gray.py']

model = dict(generator=dict(in_channels=3, depth=20))

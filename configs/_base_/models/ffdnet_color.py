# FFDNet for colour images: 12 layers, 852,108 parameters.
_base_ = ['./ffdnet_gray.py']

model = dict(generator=dict(in_channels=3))

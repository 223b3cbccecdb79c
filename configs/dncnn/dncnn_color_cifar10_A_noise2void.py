# One noisy version of every image, the same at every visit.
_base_ = ['./dncnn_color_cifar10_A.py', '../_base_/schemes/noise2void.py']

noise = dict(where='pipeline')

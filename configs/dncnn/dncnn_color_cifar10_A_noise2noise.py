# Two noisy versions of every image.
_base_ = ['./dncnn_color_cifar10_A.py', '../_base_/schemes/noise2noise.py']

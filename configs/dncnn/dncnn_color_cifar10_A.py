# Supervised: clean targets.
_base_ = ['./dncnn_color_cifar10.py', '../_base_/noise/nrgan_A.py']

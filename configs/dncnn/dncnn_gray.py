# DnCNN-S of Zhang et al. 2017 without its noise: inherit this and a file of _base_/noise.
# 128 patches of 40x40, Adam, rate / 10 after 60 %.
_base_ = ['../_base_/denoisers/dncnn_gray.py', '../_base_/datasets/denoise_gray_folder.py']

# DnCNN for colour images without its noise: inherit this and a file of _base_/noise.
_base_ = ['../_base_/denoisers/dncnn_color.py', '../_base_/datasets/denoise_color_folder.py']

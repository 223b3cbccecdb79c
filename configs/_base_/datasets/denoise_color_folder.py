# Colour denoising: a folder of clean images for training, CBSD68 for the test.
_base_ = ['./denoise_gray_folder.py']

train_dataloader = dict(dataset=dict(data_root='data/CBSD432', channels=3))
test_dataloader = dict(dataset=dict(data_root='data/CBSD68', channels=3))
val_dataloader = dict(dataset=dict(data_root='data/CBSD68', channels=3))

# The denoiser of NoiseTransfer on real pairs: weight decay 1e-5, 32 patches of 80x80.
_base_ = ['./ridnet_paired-folder.py']

model = dict(generator=dict(variant='g'))
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(weight_decay=1e-5))

# The other direction: sketch -> photograph.
_base_ = ['./cyclegan_resnet_cufs_photo2sketch.py']

train_dataloader = dict(dataset=dict(direction='sketch2photo'))
test_dataloader = dict(dataset=dict(direction='sketch2photo'))
val_dataloader = dict(dataset=dict(direction='sketch2photo'))
val_evaluator = [dict(type='PSNR'), dict(type='SSIM'), dict(type='FSIM')]
test_evaluator = val_evaluator

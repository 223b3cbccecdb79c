# CycleGAN as published on CUFS, photograph -> sketch; pairs are not used. Padded to 286, crops of
# 256x256, batches of one, 200 passes over the 268 training images, the last 100 with falling rate.
_base_ = [
    '../_base_/models/cyclegan_resnet.py',
    '../_base_/datasets/cufs_photo2sketch.py',
    '../_base_/metrics/sketch.py',
    '../_base_/schedules/sketch_200epochs_batch1.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=1)

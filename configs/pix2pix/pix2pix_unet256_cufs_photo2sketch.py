# pix2pix as published on CUFS, photograph -> sketch: padded to 286, crops of 256x256, batches of
# one (there batch norm is instance norm), 200 passes over the 268 training pairs.
_base_ = [
    '../_base_/models/pix2pix_unet.py',
    '../_base_/datasets/cufs_photo2sketch.py',
    '../_base_/metrics/sketch.py',
    '../_base_/schedules/sketch_200epochs_batch1.py',
    '../_base_/default_runtime.py',
]

model = dict(generator=dict(norm='instance'), discriminator=dict(norm='instance'))
train_dataloader = dict(batch_size=1)

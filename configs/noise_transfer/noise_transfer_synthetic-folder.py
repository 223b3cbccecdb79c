# NoiseTransfer on synthetic noises alone: any folder of clean photographs. Tested on another
# folder, with references that are other images with the same noise.
_base_ = [
    '../_base_/models/noise_transfer.py',
    '../_base_/noise_transfer_synthetic.py',
    '../_base_/schedules/noise_transfer_400k.py',
    '../_base_/default_runtime.py',
]

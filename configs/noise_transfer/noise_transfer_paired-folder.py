# NoiseTransfer on real pairs alone, from two folders with equal names.
_base_ = [
    '../_base_/models/noise_transfer.py',
    '../_base_/noise_transfer_paired.py',
    '../_base_/schedules/noise_transfer_400k.py',
    '../_base_/default_runtime.py',
]

# CDnCNN-B: colour, every sigma of U(0, 55); patches of 50x50; tested at 25.
_base_ = ['./dncnn_color.py', '../_base_/noise/awgn_blind0-55.py']

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=50),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    )
)

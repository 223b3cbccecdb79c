# CDnCNN-B: colour, every sigma of U(0, 55); patches of 50x50; tested at 25.
_base_ = ['./dncnn_color_awgn25.py']

noise = dict(train=dict(sigma=(0, 55)))
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='RandomCrop', size=50),
            dict(type='RandomDihedral'),
            dict(type='NoiseSlot'),
        ]
    )
)

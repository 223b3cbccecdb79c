# pix2pix with the residual generator of CycleGAN: 9 blocks, instance norm, 11,378,179 parameters.
_base_ = ['./pix2pix_unet.py']

model = dict(
    data_preprocessor=dict(pad_multiple=4),
    generator=dict(
        _delete_=True,
        type='ResNetGenerator',
        in_channels=3,
        out_channels=3,
        num_blocks=9,
        width=64,
        norm='instance',
    ),
)

# Blur alone, in the data and in the model.
_base_ = ['./bncrgan_cifar10.py']

noise = dict(train=dict(preset='bncr/blur'))
model = dict(
    degradation=dict(
        _delete_=True,
        type='LearnedBlur',
        network=dict(type='VectorGenerator', out_features=122, latent_channels=128),
        size=11,
        weight=1.0,
        mu=1.0,
    )
)

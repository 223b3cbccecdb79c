# Compression alone, in the data and in the model.
_base_ = ['./bncrgan_cifar10.py']

noise = dict(train=dict(preset='bncr/jpeg'))
model = dict(
    degradation=dict(
        _delete_=True,
        type='LearnedCompression',
        network=dict(type='VectorGenerator', out_features=2, latent_channels=128),
        quality=(1, 100),
        weight=1.0,
        mu=1.0,
    )
)

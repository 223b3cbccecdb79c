"""A tiny generative model, as config and checkpoint."""

import torch

from noiseedit.config import load_config
from noiseedit.engine.checkpoint import save_checkpoint
from noiseedit.registry import MODELS

NET = "dict(type='NRGANGenerator', latent_channels={latent}, channels=4, image_size=16)"
CONFIG = """
model = dict(
    type='NRGAN',
    data_preprocessor=dict(type='EditPreprocessor', value_range='[-1,1]'),
    generator={net},
    discriminator=dict(type='NRGANDiscriminator', channels=4),
    gan_loss=dict(type='VanillaGANLoss'),
    degradation={degradation},
)
"""
DEGRADATIONS = {
    'sinrgan1': "dict(type='LearnedNoise', network={net}, prior=dict(type='{prior}'))",
    'sinrgan2': "dict(type='LearnedNoise', network={net}, constraints=[dict(type='NoiseRotation'), "
    "dict(type='NoiseChannelShuffle'), dict(type='NoiseColorInversion')])",
    'sdnrgan2': "dict(type='LearnedNoise', network={wide}, prior=dict(type='{prior}'), "
    'implicit=True)',
    'ambientgan': "dict(type='SimulatedNoise', noise='nrgan/A')",
    'gan': "dict(type='NoDegradation')",
}


def write_model(folder, kind='sinrgan1', prior='AdditiveGaussianPrior', **weights):
    """Write ``model.py`` and ``model.pth``; the moving average is half the plain weights."""
    folder.mkdir(parents=True, exist_ok=True)
    net, wide = NET.format(latent=6), NET.format(latent=10)
    degradation = DEGRADATIONS[kind].format(net=net, wide=wide, prior=prior)
    config = folder / 'model.py'
    config.write_text(CONFIG.format(net=net, degradation=degradation))
    torch.manual_seed(0)
    model = MODELS.build(load_config(config).model)
    with torch.no_grad():
        for name, value in weights.items():
            model.get_parameter(name.replace('__', '.')).fill_(value)
    state = model.state_dict()
    trained = {n: t for n, t in state.items() if not n.startswith('discriminator')}
    average = {name: tensor / 2 for name, tensor in trained.items()}
    checkpoint = folder / 'model.pth'
    save_checkpoint({'state_dict': state, 'ema_state_dict': average}, checkpoint)
    return config, checkpoint


CONDITIONAL = """
model = dict(
    type='ConditionalGAN',
    data_preprocessor=dict(type='LabelledPreprocessor', num_classes=3, value_range='[-1,1]'),
    generator=dict(
        type='ConditionalGenerator', num_classes=3, latent_channels=6, channels=4, image_size=16
    ),
    discriminator=dict(type='ConditionalDiscriminator', num_classes=3, channels=4),
    gan_loss=dict(type='HingeGANLoss'),
)
"""

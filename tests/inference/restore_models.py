"""Tiny denoisers, as config and checkpoint, and pictures for them."""

import numpy as np
import torch

from noiseedit.config import load_config
from noiseedit.engine.checkpoint import save_checkpoint
from noiseedit.imaging import write_image
from noiseedit.registry import MODELS

CONFIG = """
model = dict(
    type='RestorationModel',
    data_preprocessor=dict(type='EditPreprocessor', {preprocessor}),
    generator=dict({generator}),
)
noise = dict(test=dict(type='GaussianNoise', sigma=50, unit=255))
"""
NETWORKS = {
    'grey': "type='DnCNN', in_channels=1, depth=4, width=4, norm=False",
    'color': "type='DnCNN', in_channels=3, depth=4, width=4, norm=False",
    'level': "type='FFDNet', in_channels=1, depth=3, width=4",
    'global': "type='RIDNet', width=4, reduction=4",
}


def write_denoiser(folder, kind='grey', preprocessor='', average=None):
    """Write ``KIND.py`` and ``KIND.pth``; return both.

    Args:
        folder: Where to.
        kind: Of NETWORKS.
        preprocessor: Its settings, as text.
        average: Factor of the moving average; None: there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / f'{kind}.py'
    config.write_text(CONFIG.format(preprocessor=preprocessor, generator=NETWORKS[kind]))
    torch.manual_seed(0)
    state = MODELS.build(load_config(config).model).state_dict()
    stored = {'state_dict': state}
    if average is not None:
        stored['ema_state_dict'] = {name: average * value for name, value in state.items()}
    checkpoint = config.with_suffix('.pth')
    save_checkpoint(stored, checkpoint)
    return config, checkpoint


def picture(height=40, width=53, channels=1, seed=0):
    """Return (H, W, C) uint8, different everywhere."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def write_folder(folder, names=('a', 'sub/b', 'sub/c'), **settings):
    for seed, name in enumerate(names):
        write_image(folder / f'{name}.png', picture(seed=seed, **settings))
    return folder

"""The layout of the published weights, and weights drawn for it."""

import numpy as np
import torch

UP_BLOCK = {
    'conv_shortcut.conv.conv': 1,
    'conv1.conv.conv': 3,
    'conv2.conv': 3,
}
DOWN_BLOCK = {'conv_shortcut.conv.conv': 1, 'conv1.conv': 3, 'conv2.conv.conv': 3}
PLAIN_BLOCK = {'conv1.conv': 3, 'conv2.conv': 3}


def _block(name, convs, channels):
    for conv, size in convs.items():
        yield f'{name}.{conv}', (channels, channels, size, size)


def _with_bias(weights):
    shapes = {}
    for name, shape in weights:
        shapes[f'{name}.weight'] = shape
        shapes[f'{name}.bias'] = shape[:1]
    return shapes


def generator_shapes(latent=128, channels=128, side=4):
    """Return published key -> shape of G_x or G_n, in the order in which they are saved."""
    weights = [('linear1', (channels * side * side, latent))]
    for number in (2, 3, 4):
        weights += _block(f'block{number}', UP_BLOCK, channels)
    return _with_bias([*weights, ('conv5.conv', (3, channels, 3, 3))])


def discriminator_shapes(in_channels=3, channels=128):
    """Return published key -> shape of D, in the order in which they are saved."""
    weights = [
        ('block1.conv1.conv', (channels, in_channels, 3, 3)),
        ('block1.conv2.conv.conv', (channels, channels, 3, 3)),
        ('block1.conv_shortcut.conv.conv', (channels, in_channels, 1, 1)),
        *_block('block2', DOWN_BLOCK, channels),
        *_block('block3', PLAIN_BLOCK, channels),
        *_block('block4', PLAIN_BLOCK, channels),
        ('linear5', (1, channels)),
    ]
    return _with_bias(weights)


def filled(shapes, seed=1234, dtype=torch.float64):
    """Return drawn weights: one normal stream; sqrt(2 / fan in) of weights, 0.1 of biases."""
    stream = np.random.RandomState(seed)
    state = {}
    for key, shape in shapes.items():
        scale = (2 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.1
        state[key] = torch.from_numpy(stream.standard_normal(shape) * scale).to(dtype)
    return state

"""Released NR-GAN weights to ours.

The code of NR-GAN saves three files, each a plain state dict: ``netG`` (image generator, moving
average), ``netGn`` (noise generator, moving average) and ``netD``. The first two have the same
names and may have the same shapes, so files are told apart by their own names; names of weights
lose the wrappers ``conv`` around each convolution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isqrt
from typing import Any

from torch import Tensor

from noiseedit.errors import CheckpointError
from noiseedit.models.convert import Converted, Network

FILES = {'netG': 'generator', 'netGn': 'degradation.network', 'netD': 'discriminator'}
"""Beginning of a file's name -> name of the network in our model."""

WRAPPERS = re.compile(r'(\.conv)+(?=\.(?:weight|bias)$)')
SIGNS = {'linear1.weight': 'netG', 'linear5.weight': 'netD'}


def convert(state_dict: Mapping[str, Tensor]) -> Converted:
    """Return the weights under our names, and the networks that they belong to.

    Args:
        state_dict: The weights of one file, or those of several with ``netG.``, ``netGn.`` or
            ``netD.`` before each name. A file of a generator without that is taken for ``netG``.

    Raises:
        CheckpointError: If the names or shapes are not those of NR-GAN's networks.
    """
    networks = {FILES[kind]: _network(kind, w) for kind, w in _by_file(state_dict).items()}
    generator = networks.pop('generator', Network({}, {}))
    return Converted(generator.state_dict, generator.config, networks)


def _by_file(state_dict: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Group the weights by the file that they come from, with our names."""
    files: dict[str, dict[str, Tensor]] = {}
    only = next((kind for sign, kind in SIGNS.items() if sign in state_dict), '')
    for key, tensor in state_dict.items():
        kind, _, name = key.partition('.')
        if kind not in FILES:
            kind, name = only, key
        files.setdefault(kind, {})[WRAPPERS.sub('', name)] = tensor
    if not files or '' in files:
        raise CheckpointError(
            f'NR-GAN: expected {" or ".join(SIGNS)} among the keys of a file, '
            f'got {", ".join(list(state_dict)[:4]) or "none"}'
        )
    return files


def _network(kind: str, weights: dict[str, Tensor]) -> Network:
    return Network(
        weights, _discriminator(weights) if kind == 'netD' else _generator(kind, weights)
    )


def _generator(kind: str, weights: Mapping[str, Tensor]) -> dict[str, Any]:
    first, last = _weight(kind, weights, 'linear1', 2), _weight(kind, weights, 'conv5', 4)
    channels = last.shape[1]
    side = isqrt(first.shape[0] // channels)
    if first.shape[0] != channels * side**2:
        raise CheckpointError(
            f'NR-GAN: {kind}: expected linear1.weight with {channels} times a square number of '
            f'rows (conv5.weight has {channels} channels), got {tuple(first.shape)}'
        )
    return {
        'type': 'NRGANGenerator',
        'latent_channels': first.shape[1],
        'channels': channels,
        'image_size': 8 * side,
        'out_channels': last.shape[0],
    }


def _discriminator(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    first = _weight('netD', weights, 'block1.conv1', 4)
    return {
        'type': 'NRGANDiscriminator',
        'in_channels': first.shape[1],
        'channels': first.shape[0],
    }


def _weight(kind: str, weights: Mapping[str, Tensor], layer: str, dimensions: int) -> Tensor:
    weight = weights.get(f'{layer}.weight')
    if weight is None or weight.ndim != dimensions:
        got = 'none' if weight is None else f'shape {tuple(weight.shape)}'
        raise CheckpointError(
            f'NR-GAN: {kind}: expected {layer}.weight of {dimensions} dimensions, got {got}'
        )
    return weight

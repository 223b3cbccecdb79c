"""Released FFDNet weights to ours.

Two families of files exist:

* ``cszn/KAIR``: ``model.<i>.{weight,bias}``, the layers of one ``nn.Sequential`` as our ``body``;
* ``cszn/FFDNet``: MATLAB files, read by :func:`~noiseedit.models.matlab.read_matconvnet`. MATLAB
  counts the four sub-images of a colour column by column, torch row by row: the second and third
  change places in the first convolution's input and in the last one's output.

The noise level's channels follow from the shapes. With three of them the network is the early
release that predicts the noise (``residual=True``); the early grey release has the shapes of the
later one, so that only its user can say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from noiseedit.errors import CheckpointError
from noiseedit.models.convert import Converted
from noiseedit.models.matlab import read_matconvnet

READERS = {'.mat': read_matconvnet}

KEY = re.compile(r'(?:module\.)?(model|layers)\.(\d+)\.(weight|bias)')
COLUMNS_FIRST = [0, 2, 1, 3]  # place of sub-image i of torch in the order of MATLAB
KERNEL = (3, 3)


def convert(state_dict: Mapping[str, Tensor]) -> Converted:
    """Return the weights under our names, and the FFDNet that they belong to.

    Raises:
        CheckpointError: If the names or shapes are not those of an FFDNet.
    """
    family, layers = _layers(state_dict)
    weights = [layer['weight'] for layer in layers]
    channels, rest = divmod(weights[-1].shape[0], 4)
    level = weights[0].shape[1] - 4 * channels
    if rest or level not in (1, 3, 6):
        raise CheckpointError(
            'FFDNet: expected 4C + L channels in and 4C out (C colours; L = 1, 3 or 6 channels of '
            f'the noise level), got {weights[0].shape[1]} and {weights[-1].shape[0]}'
        )
    if family == 'layers':
        layers = _rows_first(layers, channels)
    generator = {
        'type': 'FFDNet',
        'in_channels': channels,
        'depth': len(layers),
        'width': weights[0].shape[0],
        'level_channels': level,
        'residual': level == 3,
    }
    ours = {
        f'body.{2 * i}.{name}': t for i, layer in enumerate(layers) for name, t in layer.items()
    }
    return Converted(ours, generator)


def _layers(state_dict: Mapping[str, Tensor]) -> tuple[str, list[dict[str, Tensor]]]:
    """Return the family of the names, and the convolutions in order."""
    layers: dict[int, dict[str, Tensor]] = {}
    families = set()
    for key, tensor in state_dict.items():
        match = KEY.fullmatch(key)
        if match is None:
            raise CheckpointError(
                f'FFDNet: expected keys such as model.0.weight or layers.2.weight, got {key!r}'
            )
        families.add(match[1])
        layers.setdefault(int(match[2]), {})[match[3]] = tensor
    ordered = [layers[index] for index in sorted(layers)]
    if len(ordered) < 2 or len(families) > 1 or not all(map(_is_convolution, ordered)):
        raise CheckpointError(
            'FFDNet: expected two or more layers, each with the weight of a 3x3 convolution and '
            f'its bias; got {len(ordered)} layers, some incomplete or of another shape'
        )
    return families.pop(), ordered


def _is_convolution(layer: Mapping[str, Tensor]) -> bool:
    weight = layer.get('weight')
    return len(layer) == 2 and weight is not None and tuple(weight.shape[2:]) == KERNEL


def _rows_first(layers: list[dict[str, Tensor]], channels: int) -> list[dict[str, Tensor]]:
    """Reorder the sub-images from MATLAB's order to torch's; channels of the level stay."""
    order = torch.tensor([4 * c + i for c in range(channels) for i in COLUMNS_FIRST])
    first, last = layers[0], layers[-1]
    images, level = first['weight'].tensor_split([len(order)], 1)
    first = {**first, 'weight': torch.cat([images[:, order], level], 1)}
    last = {name: tensor[order] for name, tensor in last.items()}
    return [first, *layers[1:-1], last]

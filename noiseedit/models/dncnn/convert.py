"""Released DnCNN weights to ours.

Two families of files exist, and both hold the layers of one ``nn.Sequential`` under their running
number, as our ``body`` does; so only names change:

* ``SaoYan/DnCNN-PyTorch``: ``module.dncnn.<i>.*``, batch norm, no bias, no batch counters;
* ``cszn/KAIR``: ``model.<i>.{weight,bias}``, batch norm merged into the convolutions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from noiseedit.errors import CheckpointError
from noiseedit.models.convert import Converted

PREFIX = re.compile(r'(?:module\.)?(?:dncnn|model)\.(\d+)\.(\w+)')


def convert(state_dict: Mapping[str, Tensor]) -> Converted:
    """Return the weights under our names, and the DnCNN that they belong to.

    Raises:
        CheckpointError: If the names or shapes are not those of a DnCNN.
    """
    layers = _layers(state_dict)
    first, last = _convolution(layers, 0), _convolution(layers, -1)
    if first.shape[1] != last.shape[0]:
        raise CheckpointError(
            f'DnCNN: expected as many channels in as out, got {first.shape[1]} and {last.shape[0]}'
            ' (FDnCNN takes a noise map as well and is another network)'
        )
    norm = any('running_mean' in layer for layer in layers.values())
    generator = {
        'type': 'DnCNN',
        'in_channels': first.shape[1],
        'depth': sum(layer['weight'].ndim == 4 for layer in layers.values()),
        'width': first.shape[0],
        'norm': norm,
        'bias': 'bias' in layers[0],
    }
    ours = {
        f'body.{index}.{name}': tensor
        for index, layer in sorted(layers.items())
        for name, tensor in _with_counter(layer).items()
    }
    return Converted(ours, generator)


def _layers(state_dict: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Group the tensors by the running number of their layer."""
    layers: dict[int, dict[str, Tensor]] = {}
    for key, tensor in state_dict.items():
        match = PREFIX.fullmatch(key)
        if match is None:
            raise CheckpointError(
                f'DnCNN: expected keys such as module.dncnn.0.weight or model.0.weight, got {key!r}'
            )
        layers.setdefault(int(match[1]), {})[match[2]] = tensor
    if not layers or not all('weight' in layer for layer in layers.values()):
        raise CheckpointError('DnCNN: expected a weight for every layer; the file is incomplete')
    return layers


def _convolution(layers: Mapping[int, Mapping[str, Tensor]], position: int) -> Tensor:
    weight = layers[sorted(layers)[position]]['weight']
    if weight.ndim != 4:
        raise CheckpointError(
            'DnCNN: expected a convolution as first and last layer, '
            f'got a weight of shape {tuple(weight.shape)}'
        )
    return weight


def _with_counter(layer: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Add the batch counter that releases before torch 0.4.1 lack; it has no effect here."""
    if 'running_mean' not in layer:
        return dict(layer)
    return {**layer, 'num_batches_tracked': layer.get('num_batches_tracked', torch.tensor(0))}

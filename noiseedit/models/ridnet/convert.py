"""Released RIDNet weights to ours; the names are the same.

* ``saeed-anwar/RIDNet``: ``head.body.0.*``, and frozen layers ``sub_mean`` and ``add_mean`` that
  shift the colours; it works in [0, 255], which the size of the shift tells. Files without these
  layers are taken for [0, 1];
* NoiseTransfer's ``ridnet_g.pt``: ``head.*``, the variant 'g', in [0, 1].
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from noiseedit.errors import CheckpointError
from noiseedit.models.convert import Converted

PREFIX = re.compile(r'^(?:module\.)?(?:model\.)?')
SHIFT = re.compile(r'(sub_mean|add_mean)\.(?:shifter\.)?(weight|bias)')
HEADS = {'head.body.0.weight': 'ridnet', 'head.weight': 'g'}
REDUCTION = 'b1.ca.c1.body.0.weight'
TOLERANCE = 1e-3


def convert(state_dict: Mapping[str, Tensor]) -> Converted:
    """Return the weights under our names, and the RIDNet that they belong to.

    Raises:
        CheckpointError: If the names or shapes are not those of a RIDNet.
    """
    named = {PREFIX.sub('', key): tensor for key, tensor in state_dict.items()}
    head = next((key for key in HEADS if key in named), '')
    if not head or REDUCTION not in named or named[REDUCTION].ndim != 4:
        raise CheckpointError(
            f'RIDNet: expected {" or ".join(HEADS)}, and {REDUCTION} among the keys, '
            f'got {", ".join(list(state_dict)[:4]) or "none"}'
        )
    shifts = {key: tensor for key, tensor in named.items() if SHIFT.fullmatch(key)}
    hidden, width = named[REDUCTION].shape[:2]
    generator = {
        'type': 'RIDNet',
        'variant': HEADS[head],
        'width': width,
        'reduction': width // hidden,
        **_shift(shifts),
    }
    return Converted({key: t for key, t in named.items() if key not in shifts}, generator)


def _shift(layers: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return scale and mean from the frozen layers, which must be plain shifts that cancel."""
    if not layers:
        return {'scale': 1, 'mean': None}
    parts = {'.'.join(SHIFT.fullmatch(key).groups()): t for key, t in layers.items()}  # type: ignore[union-attr]
    unit = torch.eye(3).view(3, 3, 1, 1)
    plain = len(parts) == 4 and all(
        torch.equal(parts[f'{name}.weight'].float(), unit) for name in ('sub_mean', 'add_mean')
    )
    down, up = parts.get('sub_mean.bias'), parts.get('add_mean.bias')
    if not plain or down is None or up is None or not torch.allclose(down, -up, atol=TOLERANCE):
        raise CheckpointError(
            'RIDNet: sub_mean and add_mean: expected the weight 1 and opposite shifts of the '
            f'colours, got {", ".join(layers)}'
        )
    scale = 255 if up.max() > 1 else 1
    return {'scale': scale, 'mean': [round(value / scale, 6) for value in up.tolist()]}

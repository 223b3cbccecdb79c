"""Released NAFNet weights (``megvii-research/NAFNet``) to ours; the names are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from noiseedit.errors import CheckpointError
from noiseedit.models.convert import Converted

PART = re.compile(r'(encoders|decoders)\.(\d+)\.(\d+)\.')
MIDDLE = re.compile(r'middle_blks\.(\d+)\.')
INTRO = 'intro.weight'


def convert(state_dict: Mapping[str, Tensor]) -> Converted:
    """Return the weights under our names, and the NAFNet that they belong to.

    Raises:
        CheckpointError: If the names or shapes are not those of a NAFNet.
    """
    named = {key.removeprefix('module.'): tensor for key, tensor in state_dict.items()}
    intro = named.get(INTRO)
    if intro is None or intro.ndim != 4:
        raise CheckpointError(
            f'NAFNet: expected the weight of a convolution as {INTRO}, '
            f'got the keys {", ".join(list(state_dict)[:4]) or "none"}'
        )
    generator = {
        'type': 'NAFNet',
        'in_channels': intro.shape[1],
        'width': intro.shape[0],
        'encoder': _counts(named, 'encoders'),
        'middle': 1 + max((int(m[1]) for key in named if (m := MIDDLE.match(key))), default=-1),
        'decoder': _counts(named, 'decoders'),
    }
    if len(generator['encoder']) != len(generator['decoder']) or not generator['encoder']:
        raise CheckpointError(
            'NAFNet: expected as many levels of encoders as of decoders, '
            f'got {len(generator["encoder"])} and {len(generator["decoder"])}'
        )
    return Converted(named, generator)


def _counts(named: Mapping[str, Tensor], part: str) -> list[int]:
    """Return the number of blocks per level; levels without a block have 0."""
    places = [match.groups() for key in named if (match := PART.match(key))]
    own = {(int(level), int(block)) for name, level, block in places if name == part}
    levels = 1 + max((level for level, _ in own), default=-1)
    return [sum(level == index for level, _ in own) for index in range(levels)]

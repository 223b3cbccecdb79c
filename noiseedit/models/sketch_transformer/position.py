"""Where a pixel is, at every scale: three kinds of position maps.

A position module takes the image, of which only the size counts, and returns one map per level,
``(1, channels[level], H / 2**level, W / 2**level)``.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from noiseedit.models.sketch_transformer.pyramid import Pyramid

Position = Literal['coord', 'learned', 'sine']

TEMPERATURE = 10_000.0  # ratio of the slowest to the fastest sine (Vaswani et al. 2017)


def build_position(
    kind: Position,
    channels: Sequence[int],
    size: int | Sequence[int] | None,
    used: Container[int],
) -> nn.Module:
    """Return the position module of a name.

    Args:
        kind: ``'coord'``: a convolutional pyramid over the coordinates; ``'learned'``: tables for
            one image size; ``'sine'``: fixed sines.
        channels: Per level.
        size: Height and width of the images, or the side of square ones; for ``'learned'``.
        used: Levels whose map is wanted; ``'learned'`` has tables for these alone.

    Raises:
        ValueError: On another name, a missing size, or channels that sines cannot fill.
    """
    if kind == 'coord':
        return CoordinatePyramid(channels)
    if kind == 'sine':
        return SinePositions(channels)
    if kind != 'learned':
        raise ValueError(f"position: expected 'coord', 'learned' or 'sine', got {kind!r}")
    if size is None:
        raise ValueError("position='learned' has one table for one size: set size, such as 256")
    height, width = (size, size) if isinstance(size, int) else size
    return LearnedPositions(channels, height, width, used)


class CoordinatePyramid(nn.Module):
    """A pyramid of convolutions over (x, y), each from -1 to 1; any size of image.

    Args:
        channels: Per level.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.pyramid = Pyramid(2, channels)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the maps of one image; they are the same for all of the batch."""
        height, width = image.shape[-2:]
        x, y = _axis(width, image), _axis(height, image)
        coordinates = torch.stack([x.expand(height, width), y[:, None].expand(height, width)])
        return self.pyramid(coordinates[None])


class LearnedPositions(nn.Module):
    """One table per level, for images of one size; truncated normal 0.02 at first.

    Args:
        channels: Per level.
        height: Of the images.
        width: Of the images.
        used: Levels that have a table; None stands for that of another.
    """

    def __init__(
        self, channels: Sequence[int], height: int, width: int, used: Container[int]
    ) -> None:
        super().__init__()
        self.size, self.levels = (height, width), range(len(channels))
        self.tables = nn.ParameterDict(
            {
                str(level): nn.Parameter(torch.empty(1, count, height >> level, width >> level))
                for level, count in enumerate(channels)
                if level in used
            }
        )
        for table in self.tables.values():
            nn.init.trunc_normal_(table, std=0.02)

    def forward(self, image: Tensor) -> list[Tensor | None]:
        """Return the tables."""
        if tuple(image.shape[-2:]) != self.size:
            got = 'x'.join(map(str, image.shape[-2:]))
            raise ValueError(
                f"SketchTransformer: position='learned' was made for {self.size[0]}x"
                f'{self.size[1]} images, got {got}; crop or pad to that size, or take '
                "position='coord', which takes any"
            )
        return [self.tables.get(str(level)) for level in self.levels]


class SinePositions(nn.Module):
    """``sin`` and ``cos`` of row and column over a geometric range of wavelengths.

    A quarter of the channels each: sin(x f), cos(x f), sin(y f), cos(y f), x and y in pixels of
    the level, f from 1 to nearly 1 / 10000.

    Args:
        channels: Per level; multiples of 4.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        if any(count % 4 for count in channels):
            raise ValueError(
                "SketchTransformer: position='sine' needs channels in multiples of 4, "
                f'got {list(channels)} (a quarter of the features): take width a multiple of 16'
            )
        self.channels = tuple(channels)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the sines of every level."""
        height, width = image.shape[-2:]
        return [
            _sines(count // 4, height >> level, width >> level, image.device)
            for level, count in enumerate(self.channels)
        ]


def _axis(length: int, like: Tensor) -> Tensor:
    return torch.linspace(-1, 1, length, device=like.device)


def _sines(count: int, height: int, width: int, device: torch.device) -> Tensor:
    frequency = TEMPERATURE ** (-torch.arange(count, device=device) / count)
    x = torch.arange(width, device=device) * frequency[:, None]
    y = torch.arange(height, device=device) * frequency[:, None]
    shape = (count, height, width)
    columns = [wave[:, None, :].expand(shape) for wave in (x.sin(), x.cos())]
    rows = [wave[:, :, None].expand(shape) for wave in (y.sin(), y.cos())]
    return torch.cat([*columns, *rows])[None]

"""Generated noise of large images in parts that fit together without a seam."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from noiseedit.inference.tiling import Span, Tiles, spans
from noiseedit.noises import SampleStreams

TILE = 640
HALO = 72  # a noise value of VUNet depends on 69 pixels in every direction; a multiple of 4
MULTIPLE = 4  # to which VUNet pads images, as it halves them twice


def tiles_of(size: int) -> Tiles:
    """Return how large images are cut for ``VUNet``.

    Args:
        size: Side of a tile in pixels, halo included: a multiple of 4, at least 148.

    Raises:
        ConfigError: If it is not.
    """
    return Tiles(size, HALO, MULTIPLE)


class RandomMaps(SampleStreams):
    """The streams of an image that give a part of it what they would give the whole.

    Draw k fills a map of the whole image, at the scale (1, 1/2 or 1/4) of what is asked for, keeps
    it, and returns the part inside the current window. The 32 maps of VUNet take 77 bytes per
    pixel of the image, on the CPU.

    Args:
        streams: Of one image, as they start.
        height: Rows of the image.
        width: Columns.
    """

    def __init__(self, streams: SampleStreams, height: int, width: int) -> None:
        super().__init__(streams.seeds)
        self.size = (_up(height), _up(width))
        self.window = (0, 0, *self.size)
        self.maps: list[Tensor] = []

    def look(self, top: int, left: int, height: int, width: int) -> None:
        """Give the part at (top, left), multiples of 4, from the first draw on."""
        self.window = (top, left, _up(height), _up(width))
        self._draws = 0

    def fill(self, out: Tensor, draw: Callable[[Tensor, torch.Generator], Any]) -> Tensor:
        """Fill ``out`` (1, C, h, w) with the current window of the next map; return it."""
        top, left, height, _ = self.window
        scale = height // out.shape[-2]
        if self._draws == len(self.maps):
            sides = [side // scale for side in self.size]
            self.maps.append(super().fill(out.new_empty(*out.shape[:2], *sides), draw))
        else:
            self._draws += 1
        whole = self.maps[self._draws - 1]
        rows = slice(top // scale, top // scale + out.shape[-2])
        columns = slice(left // scale, left // scale + out.shape[-1])
        return out.copy_(whole[..., rows, columns])


def _up(side: int) -> int:
    return side + -side % MULTIPLE


def noise_in_tiles(
    network: nn.Module, clean: Tensor, condition: Tensor, streams: SampleStreams, tiles: Tiles
) -> Tensor:
    """Return the noise of a large image, tile by tile: what the network gives the whole image.

    Nothing in the generator looks at the image as a whole, so a tile with a halo of 72 pixels gets
    the noise that it would get within the image, but for the last bits of float32; its random maps
    are cut out of those of the image. Features take the memory of one tile.

    Args:
        network: The generator.
        clean: (1, 3, H, W).
        condition: (1, 128).
        streams: Of this image, as they start.
        tiles: From :func:`tiles_of`.
    """
    maps = RandomMaps(streams, *clean.shape[-2:])
    noise = torch.empty_like(clean)
    for row, column in product(*(spans(side, tiles) for side in clean.shape[-2:])):
        part = clean[..., row.start : row.stop, column.start : column.stop]
        maps.look(row.start, column.start, *part.shape[-2:])
        made = network(part, condition, maps)[..., _inner(row), _inner(column)]
        noise[..., row.first : row.last, column.first : column.last] = made
    return noise


def _inner(span: Span) -> slice:
    return slice(span.first - span.start, span.last - span.start)

"""Large images in tiles: as the whole image, where the halo covers what the network sees.

Every tile brings a halo, pixels that the network sees and whose results are thrown away. At the
borders of the image tiles end where the image ends, so that a network pads there as it would pad
the whole image. How far a network sees is measured: one NaN makes all results NaN that depend on
it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from noiseedit.errors import ConfigError, DataError

Network: TypeAlias = Callable[[Tensor], Tensor]
"""(N, C, H, W) uint8 or float in [0, 1] -> (N, C', H, W) in [0, 1]; no image depends on another."""

PROBES = (128, 256, 512)
MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
UNBOUNDED_HALO = 32
"""Halo where none is wide enough: it hides the seams, no more."""


class Reach(NamedTuple):
    """How far a network sees.

    Attributes:
        halo: Pixels to each side that a result depends on; None: more than 255, or all of them.
        multiple: Tiles must begin and end at multiples of it, as the network divides images into
            cells of this size.
    """

    halo: int | None
    multiple: int


@dataclass(frozen=True)
class Tiles:
    """How an image is cut.

    Args:
        size: Side of a tile in pixels, halo included; smaller images are one tile.
        halo: Pixels at each inner side of a tile whose results are thrown away.
        multiple: Tiles begin at multiples of it.
        batch: Tiles that go through the network at once.

    Raises:
        ConfigError: If the numbers do not go together.
    """

    size: int
    halo: int
    multiple: int = 1
    batch: int = 1

    def __post_init__(self) -> None:
        """Check the numbers."""
        least = 2 * self.halo + self.multiple
        if self.halo < 0 or self.batch < 1:
            raise ConfigError(
                f'tiles: expected a halo >= 0 and a batch >= 1, got {self.halo} and {self.batch}'
            )
        if self.size < least or self.size % self.multiple:
            least = -(-least // self.multiple) * self.multiple
            what = 'a size' if self.multiple == 1 else f'a multiple of {self.multiple}'
            raise ConfigError(
                f'tiles: expected {what} of at least {least} pixels for a halo of {self.halo}, '
                f'got {self.size}'
            )

    @property
    def step(self) -> int:
        """Distance of two tiles."""
        return (self.size - 2 * self.halo) // self.multiple * self.multiple


# How far a network sees.


@torch.no_grad()
def measure_reach(network: Network, channels: int, multiple: int = 1) -> Reach:
    """Return how far a network sees, whatever its weights are.

    Half-planes of NaN are put before it and the NaN of the result counted. What depends on the
    whole image (means over it, instance norm, attention) is NaN all over.

    Args:
        network: In evaluation mode.
        channels: Of its input.
        multiple: Of the sizes that it accepts.
    """
    unit = math.lcm(PROBES[0], 2 * multiple)
    first, *others = dict.fromkeys(-(-probe // unit) * unit for probe in PROBES)
    found = _measure(network, channels, first)
    if found is None and others and not _sees_across(network, channels, others[0]):
        found = next(filter(None, (_measure(network, channels, size) for size in others)), None)
    if found is None:
        return Reach(None, math.lcm(MULTIPLES[-1], multiple))
    return Reach(found.halo, math.lcm(found.multiple, multiple))


def _sees_across(network: Network, channels: int, size: int) -> bool:
    """Tell whether one corner of a square depends on the other: spares larger squares."""
    image = torch.full((1, channels, size, size), 0.5)
    image[..., 0, 0] = math.nan
    return bool(network(image)[..., -1, -1].isnan().any())


def _measure(network: Network, channels: int, size: int) -> Reach | None:
    """Return the reach as seen in a square of ``size``; None: it is too small to tell."""
    middle = size // 2
    spread = _spread(network, channels, size, middle)
    for multiple in MULTIPLES if spread else ():
        moved = _spread(network, channels, size, middle + multiple)
        if moved is None:
            return None
        if moved == spread:
            return Reach(max(spread), multiple)
    return None


def _spread(network: Network, channels: int, size: int, edge: int) -> tuple[int, ...] | None:
    """Return how many pixels NaN gets across ``edge`` to the right, down, left and up.

    None: as far as the image goes, or the network hides it.
    """
    if edge >= size:
        return None
    images = torch.full((2, channels, size, size), 0.5)
    images[0, :, :edge, :edge] = math.nan
    images[1, :, edge:, edge:] = math.nan
    struck = network(images).isnan().any(1)
    if not (struck[0, :edge, :edge].all() and struck[1, edge:, edge:].all()):
        return None
    lines = [struck.any(1), struck.any(2)]  # columns, rows
    after = [int(line[0].nonzero().max()) + 1 - edge for line in lines]
    before = [edge - int(line[1].nonzero().min()) for line in lines]
    if max(after) == size - edge or max(before) == edge:
        return None
    return (*after, *before)


# Tiles.


class Span(NamedTuple):
    """A tile along one axis.

    Attributes:
        start: First pixel that the network sees.
        stop: Pixel after the last one.
        first: First pixel whose result counts.
        last: Pixel after the last one.
    """

    start: int
    stop: int
    first: int
    last: int


def spans(length: int, tiles: Tiles) -> list[Span]:
    """Return the tiles along an axis; what counts of them covers it without overlap.

    The last one is moved inward, to the next multiple, and ends where the image ends: it may be
    smaller by less than ``multiple``.
    """
    if length <= tiles.size:
        return [Span(0, length, 0, length)]
    end = -(-(length - tiles.size) // tiles.multiple) * tiles.multiple
    starts = [*range(0, end, tiles.step), end]
    inner = [start + tiles.halo for start in starts[1:]]
    stops = [*(start + tiles.size for start in starts[:-1]), length]
    return [Span(*ends) for ends in zip(starts, stops, [0, *inner], [*inner, length], strict=True)]


@torch.no_grad()
def tiled(
    network: Network,
    images: Tensor,
    tiles: Tiles,
    done: Callable[[int, int], object] = lambda count, total: None,
) -> Tensor:
    """Return ``network(images)``, computed tile by tile, on the CPU.

    Equal to the whole image, but for rounding, if ``halo`` and ``multiple`` are those of
    :func:`measure_reach`: up to 1e-6 of [0, 1], as libraries choose other kernels for other sizes.

    Args:
        network: What is computed.
        images: (N, C, H, W).
        tiles: How they are cut; tiles of one size go through together.
        done: Told how many tiles of how many are done.

    Raises:
        DataError: If the network changes the size of images.
    """
    rows, columns = (spans(length, tiles) for length in images.shape[-2:])
    places = list(product(rows, columns))
    result, count = None, 0
    for batch in _batches(places, tiles.batch):
        pieces = torch.cat([images[..., r.start : r.stop, c.start : c.stop] for r, c in batch])
        made = network(pieces)
        check_size(made, pieces)
        if result is None:
            result = torch.empty(len(images), made.shape[1], *images.shape[-2:])
        for (row, column), tile in zip(batch, made.split(len(images)), strict=True):
            _put(result, tile, row, column)
        count += len(batch)
        done(count, len(places))
    return images.new_empty(0) if result is None else result


def check_size(result: Tensor, images: Tensor) -> None:
    """Refuse the result of a network that changes the size of images.

    Raises:
        DataError: With both sizes.
    """
    if result.shape[-2:] != images.shape[-2:]:
        raise DataError(
            f'the network makes {tuple(result.shape[-2:])} (height, width) of '
            f'{tuple(images.shape[-2:])}: it does not keep the size of images'
        )


def _batches(places: Sequence[tuple[Span, Span]], size: int) -> Iterator[list[tuple[Span, Span]]]:
    """Yield at most ``size`` tiles of one shape."""
    shapes: dict[tuple[int, ...], list[tuple[Span, Span]]] = {}
    for place in places:
        shapes.setdefault(tuple(span.stop - span.start for span in place), []).append(place)
    for group in shapes.values():
        yield from (group[start : start + size] for start in range(0, len(group), size))


def _put(result: Tensor, tile: Tensor, row: Span, column: Span) -> None:
    inner = tile[
        ...,
        row.first - row.start : row.last - row.start,
        column.first - column.start : column.last - column.start,
    ]
    result[..., row.first : row.last, column.first : column.last] = inner


class Difference(NamedTuple):
    """What tiles change, measured on a piece of an image.

    Attributes:
        largest: Largest difference of a pixel, in 8-bit units.
        rms: Root mean square of the differences, in 8-bit units.
        height: Of the piece in pixels.
        width: Likewise.
    """

    largest: float
    rms: float
    height: int
    width: int


def measure_difference(network: Network, images: Tensor, tiles: Tiles) -> Difference:
    """Return what tiles change, on the middle of an image, as large as two tiles side by side."""
    height, width = (min(length, tiles.size) for length in images.shape[-2:])
    if images.shape[-1] > tiles.size:
        width = min(images.shape[-1], tiles.size + tiles.step)
    else:
        height = min(images.shape[-2], tiles.size + tiles.step)
    height, width = (side - side % tiles.multiple or side for side in (height, width))
    top, left = ((images.shape[-2] - height) // 2, (images.shape[-1] - width) // 2)
    piece = images[..., top : top + height, left : left + width]
    with torch.no_grad():
        change = 255 * (tiled(network, piece, tiles) - network(piece).cpu()).double()
    rms = float(change.square().mean().sqrt())
    return Difference(float(change.abs().max()), rms, height, width)

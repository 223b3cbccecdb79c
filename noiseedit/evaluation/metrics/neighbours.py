"""Which points of one set lie in balls around those of another: k nearest neighbours, exact.

Distances are computed in float64, a block of rows at a time, so that memory grows with the number
of points and not with its square.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from noiseedit.errors import DataError
from noiseedit.evaluation.profiles import Array

BLOCK_ROWS = 1024
TIE = 1e-12
"""Of the largest squared norm: squared distances that differ by less count as equal.

That is what the product of two float64 matrices may lose to rounding; of float32 features it is
nothing. A point on the edge of a ball is inside, wherever it stands in a block.
"""


class Balls(NamedTuple):
    """A ball per point, up to and with its k-th nearest neighbour in the same set.

    Attributes:
        centres: (n, d) float64.
        radii: (n,) squared radii; the edge belongs to the ball.
    """

    centres: Array
    radii: Array


def balls(points: Array, k: int) -> Balls:
    """Return the ball of each of ``points``, (n, d).

    Raises:
        DataError: If there are not more than ``k`` points.
    """
    if len(points) <= k:
        raise DataError(
            f'k={k} nearest neighbours: expected more than {k} points, got {len(points)}'
        )
    centres: Array = points.astype(np.float64)
    radii = np.empty(len(centres))
    for rows, squared in _blocks(centres, centres):
        own = np.arange(rows.start, rows.start + len(squared))
        squared[own - rows.start, own] = np.inf  # no point is its own neighbour
        radii[rows] = np.partition(squared, k - 1, axis=1)[:, k - 1]
    largest = np.square(centres - centres.mean(axis=0)).sum(axis=1).max()
    return Balls(centres, radii + TIE * largest)


def hits(points: Array, of: Balls) -> tuple[Array, Array]:
    """Return in how many balls each point lies, (n,), and whether each ball holds a point, (m,)."""
    counts: Array = np.empty(len(points), np.int64)
    is_hit: Array = np.zeros(len(of.centres), bool)
    for rows, squared in _blocks(points.astype(np.float64), of.centres):
        inside = squared <= of.radii
        counts[rows] = inside.sum(axis=1)
        is_hit |= inside.any(axis=0)
    return counts, is_hit


def _blocks(a: Array, b: Array) -> Iterator[tuple[slice, Array]]:
    """Yield rows of ``a`` and their squared distances to all of ``b``, (rows, len(b))."""
    centre = b.mean(axis=0)  # a large mean would cost digits
    b = b - centre
    norms = np.square(b).sum(axis=1)
    for start in range(0, len(a), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        block = a[rows] - centre
        squared = block @ (-2 * b.T)
        squared += norms
        squared += np.square(block).sum(axis=1)[:, None]
        yield rows, squared

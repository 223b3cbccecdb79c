"""Random bits for whole arrays at once, and exact draws from tabulated laws.

Randomness is SplitMix64 in counter mode: word ``i`` of stream ``s`` is a hash of seed, ``s`` and
``i``, so that it does not depend on threads, workers or what was drawn before.

A law over few integers (rounded noise, or 8-bit output given 8-bit input) is drawn by a table: an
outcome of probability p owns ``floor(p * slots)`` equal slots; what the floors leave over is a
second law, drawn only where the index falls behind the last slot (below 2 % of the values) and
tabulated itself with 4,096 slots. The probability of an outcome is off by less than 5e-6.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from noiseedit.noises.random import GOLDEN, MASK, avalanche, mix

BLOCK = 1 << 15  # words hashed, or values looked up, at a time: stays in the L2 cache
REST_SLOTS = 1 << 12


def random_words(count: int, seed: int, stream: int = 0) -> np.ndarray:
    """Return ``count`` random uint64: SplitMix64's outputs from a state hashed from the seed.

    Args:
        count: How many.
        seed: A 63-bit integer.
        stream: Which of several independent streams of the seed.
    """
    start = mix(seed, stream)
    words: np.ndarray = np.empty(count, np.uint64)
    scratch: np.ndarray = np.empty(min(count, BLOCK), np.uint64)
    for first in range(0, count, BLOCK):
        z = words[first : first + BLOCK]
        np.add(_weyl()[: len(z)], np.uint64((start + first * GOLDEN) & MASK), out=z)
        avalanche(z, scratch[: len(z)])
    return words


@lru_cache(maxsize=1)
def _weyl() -> np.ndarray:
    return frozen(np.arange(1, BLOCK + 1, dtype=np.uint64) * np.uint64(GOLDEN))


def random_bits(count: int, seed: int) -> np.ndarray:
    """Return ``count`` random uint16, the same on any byte order."""
    words: np.ndarray = random_words(-(-count // 4), seed).astype('<u8', copy=False)
    return words.view('<u2')[:count]


def random_uniform(count: int, seed: int) -> np.ndarray:
    """Return ``count`` draws from U[0, 1), float64, 53 bits."""
    return (random_words(count, seed) >> np.uint64(11)) * 2.0**-53


def frozen(array: np.ndarray) -> np.ndarray:
    """Make an array read-only (what caches hold is shared) and return it."""
    array.flags.writeable = False
    return array


class Table(NamedTuple):
    """A discrete law per row, ready to draw from; see the module and :func:`tabulate`."""

    slots: np.ndarray
    """(rows * slots) values."""
    start: int
    """First slot of every row that stands for the rest."""
    rest: np.ndarray
    """(rows * 4096) values."""


def tabulate(probabilities: np.ndarray, values: np.ndarray, slots: int) -> Table:
    """Tabulate one law over ``values`` per row; see the module.

    Args:
        probabilities: (rows, len(values)), each row with sum 1.
        values: What the columns stand for.
        slots: Slots per row, a power of two.
    """
    filled = np.cumsum(np.floor(probabilities * slots).astype(np.int64), axis=1)
    start = int(filled[:, -1].min())
    filled = np.minimum(filled, start)
    filled[:, -1] = slots  # the slots behind ``start`` are never read; the rest stands for them
    table = _expand(filled, values)
    filled[:, -1] = start
    rest = np.cumsum(probabilities, axis=1) * slots - filled
    rest = rest / np.maximum(rest[:, -1:], 1e-300)
    edges = np.rint(np.maximum.accumulate(rest, axis=1) * REST_SLOTS).astype(np.int64)
    edges[:, -1] = REST_SLOTS
    return Table(table, start, _expand(edges, values))


def _expand(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return rows in which value ``k`` fills the slots from ``edges[k - 1]`` to ``edges[k]``."""
    counts = np.diff(np.minimum(edges, edges[:, -1:]), axis=1, prepend=0)
    return frozen(np.repeat(np.tile(values, len(edges)), counts.ravel()))


def redraw(
    out: np.ndarray, table: Table, hits: np.ndarray, seed: int, rows: np.ndarray | None = None
) -> None:
    """Replace ``out[hits]`` by draws from the rest of the law (of row ``rows[hits]``)."""
    if not len(hits):
        return
    column = (random_words(len(hits), seed, stream=1) >> np.uint64(52)).astype(np.intp)
    if rows is not None:
        column += rows[hits].astype(np.intp) * REST_SLOTS
    out[hits] = table.rest[column]


def look_up(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return ``table[index]`` for 65,536 entries and 16-bit indices (OpenCV >= 5 is faster)."""
    import cv2

    if not _opencv_reads_16_bit():
        return table.take(index, mode='clip')
    return cv2.LUT(index[None], table[None])[0]


@lru_cache(maxsize=1)
def _opencv_reads_16_bit() -> bool:
    import cv2

    try:
        cv2.LUT(np.zeros((1, 1), np.uint16), np.zeros((1, 65536), np.int16))
    except cv2.error:
        return False
    return True

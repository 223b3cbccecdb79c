"""How often noise has which value: histograms of ``noisy - clean``, exact for 8-bit images."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from noiseedit.errors import DataError
from noiseedit.evaluation.profiles import Array

LEVELS = np.arange(-255, 256)
"""Values of 8-bit noise, in grey levels."""

CHUNK = 2**20
"""Integers counted at a time: counts in float32 are exact, and memory for differences is small."""

FLOAT_CHUNK = 2**17
"""Floats counted at a time: they stay in the cache."""

NEVER: Array = np.zeros(128, np.float32)


@dataclass(frozen=True)
class Bins:
    """Equal bins of noise values: of noise n in [-1, 1], number ``floor(scale n + zero)``.

    Args:
        count: How many.
        scale: Bins per unit.
        zero: Where noise 0 lies, in bins.
        open_ended: Two more bins take what lies below and above. Without, that is dropped, but for
            the very end of the last bin.
    """

    count: int
    scale: int
    zero: int
    open_ended: bool = False


def histogram(noisy: Array, clean: Array, bins: Bins) -> Array:
    """Return the share of the noise's values in every bin, float64.

    Args:
        noisy: Any shape; uint8, or float nominally in [0, 1].
        clean: The same shape. If both are uint8, values are counted as integers.
        bins: Where to count.

    Raises:
        DataError: If the images differ in shape, are empty or hold NaN or infinities.
    """
    _check_shapes(noisy, clean)
    if noisy.dtype == clean.dtype == np.uint8:
        counts = _group_levels(count_levels(noisy, clean), bins)
    else:
        pairs = _chunks(noisy, clean, FLOAT_CHUNK)
        counts = reduce(np.add, (_count_floats(noise_of(*pair), bins) for pair in pairs))
    return counts / noisy.size


def noise_of(noisy: Array, clean: Array) -> Array:
    """Return ``noisy - clean``, float in [-1, 1]; of two uint8 images, 255ths in float64.

    Raises:
        DataError: If the images differ in shape or are empty.
    """
    _check_shapes(noisy, clean)
    if noisy.dtype == clean.dtype == np.uint8:
        return np.subtract(noisy, clean, dtype=np.float64) / 255
    return _unit(noisy) - _unit(clean)


def _unit(image: Array) -> Array:
    return image / np.float32(255) if image.dtype == np.uint8 else image


def _check_shapes(noisy: Array, clean: Array) -> None:
    if noisy.shape != clean.shape or not noisy.size:
        raise DataError(
            f'noise: expected two images of one shape, got {noisy.shape} and {clean.shape}'
        )


def count_levels(noisy: Array, clean: Array) -> Array:
    """Return how often ``noisy - clean`` is -255, -254, ..., 255: (511,) int32.

    The difference modulo 256 is counted in bytes; it says all unless noise reaches 128 levels.

    Args:
        noisy: uint8 of any shape.
        clean: The same.
    """
    _check_shapes(noisy, clean)
    one, other = noisy.reshape(1, -1), clean.reshape(1, -1)
    counts = _count_bytes(one[:, :CHUNK], other[:, :CHUNK])
    for start in range(CHUNK, one.size, CHUNK):
        chunk = slice(start, start + CHUNK)
        counts += _count_bytes(one[:, chunk], other[:, chunk])
    return counts


def _count_bytes(noisy: Array, clean: Array) -> Array:
    """Return the counts of :func:`count_levels` of (1, n <= 2^24) values, int32."""
    import cv2

    if cv2.norm(noisy, clean, cv2.NORM_INF) >= 128:
        levels = np.subtract(noisy, clean, dtype=np.int16) + np.int16(255)
        return _histogram(levels.view(np.uint16), LEVELS.size).astype(np.int32)
    found = _histogram(noisy - clean, 256)
    return np.concatenate((NEVER[1:], found[128:], found[:128], NEVER)).astype(np.int32)


def _count_floats(noise: Array, bins: Bins) -> Array:
    """Return the counts of (1, n <= 2^24) values, float64; uses up ``noise``."""
    noise *= bins.scale
    noise += bins.zero
    places: Array = noise.astype(np.float32, copy=False)
    low, high = float(places.min()), float(places.max())
    if not math.isfinite(high - low):
        raise DataError(f'noise: expected finite images, got noise that holds {high - low}')
    if low >= 0 and high < bins.count <= 256:  # so that a byte holds every place
        places = places.astype(np.uint8)
    counts: Array = _histogram(places, bins.count).astype(np.float64)
    if bins.open_ended:
        below, above = (np.count_nonzero(side) for side in (places < 0, places >= bins.count))
        return np.array([below, *counts, above])
    if high >= bins.count:
        counts[-1] += np.count_nonzero(places == bins.count)
    return counts


def _group_levels(counts: Array, bins: Bins) -> Array:
    """Return counts of bins from counts of :data:`LEVELS`."""
    grouped = np.bincount(places_of_levels(bins) + 1, counts, bins.count + 2)
    return grouped if bins.open_ended else grouped[1:-1]


def places_of_levels(bins: Bins) -> Array:
    """Return the bin of each of :data:`LEVELS`; -1 and ``count``: outside, below and above."""
    places: Array = LEVELS * bins.scale // 255 + bins.zero
    if not bins.open_ended:  # the very end
        places -= LEVELS * bins.scale == 255 * (bins.count - bins.zero)
    return places.clip(-1, bins.count)


def _chunks(noisy: Array, clean: Array, size: int) -> Iterator[tuple[Array, Array]]:
    """Yield both images as (1, n <= size) values, piece by piece."""
    one, other = noisy.reshape(1, -1), clean.reshape(1, -1)
    for start in range(0, one.size, size):
        yield one[:, start : start + size], other[:, start : start + size]


def _histogram(values: Array, count: int) -> Array:
    """Return how often values of (1, n <= 2^24) lie in [0, 1), ..., [count - 1, count)."""
    import cv2

    return cv2.calcHist([values], [0], None, [count], [0, count]).ravel()

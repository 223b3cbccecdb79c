"""Noise on one 8-bit image, in integers wherever the model allows it.

Every function maps ``image`` (H, W, C) uint8 to a new image of the same shape, rounded half to even
and saturated, and is a function of its arguments alone: no state, no global generator, the same
bits for any number of threads, workers or calls before. Laws depend on the level alone; their
tables (see :mod:`noiseedit.noises.tables`) are kept in small caches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import torch

from noiseedit.noises.tables import (
    BLOCK,
    Table,
    frozen,
    look_up,
    random_bits,
    random_uniform,
    random_words,
    redraw,
    tabulate,
)

POISSON_TABLE_PAYS = 1 << 17  # values per image above which a table for one image is cheaper

Law: TypeAlias = Literal['normal', 'uniform', 'laplace']


# Additive white noise: the rounded noise is an integer with a known law.


@lru_cache(maxsize=32)
def _additive_table(law: Law, sigma: float) -> Table:
    """Tabulate ``round(sigma * eps)``, cut to [-255, 255] (beyond, every image saturates)."""
    edges = np.arange(-254.5, 255)
    cdf = np.concatenate([[0.0], _cdf(law, edges / sigma), [1.0]])
    probabilities = np.maximum(np.diff(cdf), 0)[None]
    return tabulate(probabilities, np.arange(-255, 256, dtype=np.int16), 1 << 16)


def _cdf(law: Law, z: np.ndarray) -> np.ndarray:
    """Return the distribution function of a law of mean 0 and variance 1, float64."""
    if law == 'normal':
        return torch.special.ndtr(torch.from_numpy(z)).numpy()
    if law == 'uniform':
        return np.clip(0.5 + z / math.sqrt(12), 0, 1)
    if law == 'laplace':
        tail = 0.5 * np.exp(-math.sqrt(2) * np.abs(z))
        return np.where(z < 0, tail, 1 - tail)
    raise ValueError(f"law: expected 'normal', 'uniform' or 'laplace', got {law!r}")


def additive(
    image: np.ndarray, sigma: float, seed: int, *, law: Law = 'normal', mono: bool = False
) -> np.ndarray:
    """Add white noise: ``sat(x + round(sigma * eps))``, which equals ``sat(round(x + ...))``.

    Args:
        image: (H, W, C) uint8.
        sigma: Standard deviation in 8-bit units.
        seed: Determines the result.
        law: Of eps, which has mean 0 and variance 1.
        mono: Share one field between the channels.
    """
    if sigma == 0:
        return image.copy()
    table = _additive_table(law, float(sigma))
    height, width, channels = image.shape
    bits = random_bits(height * width * (1 if mono else channels), seed)
    noise = look_up(table.slots, bits)
    redraw(noise, table, np.flatnonzero(bits >= table.start), seed)
    noisy = (_spread(noise, channels) if mono else noise).reshape(image.shape) + image
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)


def _spread(field: np.ndarray, channels: int) -> np.ndarray:
    """Return every element ``channels`` times in a row."""
    import cv2

    return cv2.merge([field] * channels) if channels > 1 else field


# Poisson: the law of the 8-bit output given the 8-bit input is known.


@lru_cache(maxsize=8)
def _poisson_table(peak: float) -> Table:
    """Tabulate ``sat(round(255 * Poisson(peak * v / 255) / peak))`` for every v; 2 MiB."""
    grey = np.arange(256)
    edge = (grey + 0.5) * peak / 255
    last = np.floor(edge)  # the largest count that rounds to this grey level or below
    last -= (last == edge) & (grey % 2 == 1)  # ties go to the even level
    rate = torch.from_numpy(grey * (peak / 255))[:, None]
    cdf = torch.special.gammaincc(torch.from_numpy(last + 1)[None], rate).numpy()
    cdf[:, -1] = 1
    probabilities = np.maximum(np.diff(cdf, axis=1, prepend=0), 0)
    return tabulate(probabilities, grey.astype(np.uint8), 1 << 12)


def poisson(image: np.ndarray, peak: float, seed: int, *, exact: bool = False) -> np.ndarray:
    """Draw photon counts: ``sat(round(255 * Poisson(peak * x / 255) / peak))``.

    Args:
        image: (H, W, C) uint8.
        peak: Mean count at white.
        seed: Determines the result.
        exact: Draw every count with NumPy's generator instead of the table: about 20 times slower,
            worth it for single small images at a peak of their own (the table costs milliseconds).
    """
    if exact:
        rng = np.random.Generator(np.random.SFC64(seed))
        counts = rng.poisson(image * (peak / 255))
        return np.minimum(np.rint(counts * 255 / peak), 255).astype(np.uint8)
    table = _poisson_table(float(peak))
    levels = np.ascontiguousarray(image).reshape(-1)
    bits = random_bits(levels.size, seed)
    out = np.empty(levels.size, np.uint8)
    for first in range(0, levels.size, BLOCK):
        part = slice(first, first + BLOCK)
        index = levels[part].astype(np.intp)
        index <<= 12
        index += bits[part] >> 4
        table.slots.take(index, out=out[part], mode='clip')
    redraw(out, table, np.flatnonzero(bits >= table.start << 4), seed, rows=levels)
    return out.reshape(image.shape)


# Impulses.


def salt_pepper(
    image: np.ndarray, amount: float, seed: int, *, per_channel: bool = False
) -> np.ndarray:
    """Set pixels to 0 or 255, each with probability ``amount / 2``, independently.

    Few hits: throws at uniform positions whose number is Poisson hit every pixel independently with
    probability ``1 - exp(-rate)``; salt first, pepper over it, at rates that give ``amount / 2``
    each. Many hits: one 32-bit comparison per pixel.

    Args:
        image: (H, W, C) uint8.
        amount: Probability that a pixel is hit, in [0, 1].
        seed: Determines the result.
        per_channel: Hit each channel on its own.
    """
    out = np.array(image, order='C')
    hit = _throw if amount <= 0.2 else _mask
    hit(out.reshape(-1), amount, seed, 1 if per_channel else image.shape[2])
    return out


def _throw(values: np.ndarray, amount: float, seed: int, channels: int) -> None:
    half, total = amount / 2, values.size // channels
    rates = -np.log1p([-half / (1 - half), -half])
    rng = np.random.Generator(np.random.SFC64(seed))
    salt, pepper = (rng.poisson(rate * total) for rate in rates.tolist())
    first: np.ndarray = (random_uniform(salt + pepper, seed) * total).astype(np.intp) * channels
    for value, index in ((255, first[:salt]), (0, first[salt:])):
        for _ in range(channels):
            values[index] = value
            index += 1


def _mask(values: np.ndarray, amount: float, seed: int, channels: int) -> None:
    total = values.size // channels
    words: np.ndarray = random_words(-(-total // 2), seed).astype('<u8', copy=False)
    draw: np.ndarray = words.view('<u4')[:total]
    kept = draw >= round(amount * 2**32)
    salt = (draw < round(amount * 2**31)) * np.uint8(255)
    values *= _spread(kept.view(np.uint8), channels).reshape(-1)
    values |= _spread(salt, channels).reshape(-1)


# Models that need real-valued normals: 65,536 equiprobable values, |z| < 4.33, variance 1.


@lru_cache(maxsize=1)
def _normal_values() -> np.ndarray:
    middle = (torch.arange(1 << 16, dtype=torch.float64) + 0.5) / (1 << 16)
    z = torch.special.ndtri(middle)
    return frozen((z / z.square().mean().sqrt()).float().numpy())


def normal_field(shape: Sequence[int], seed: int) -> np.ndarray:
    """Draw i.i.d. N(0, 1), float32, in steps of 1/65,536 of probability."""
    return look_up(_normal_values(), random_bits(math.prod(shape), seed)).reshape(shape)


def _add(image: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return ``sat(round(image + noise))``, half to even."""
    import cv2

    image = np.ascontiguousarray(image)
    return cv2.add(image, noise, dtype=cv2.CV_8U).reshape(image.shape)


def speckle(image: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    """Multiply: ``sat(round(x + sigma / 255 * x * eps))``, eps ~ N(0, 1).

    Args:
        image: (H, W, C) uint8.
        sigma: Standard deviation at white, in 8-bit units.
        seed: Determines the result.
    """
    factor = normal_field(image.shape, seed)
    factor *= np.float32(sigma / 255)
    factor *= image
    return _add(image, factor)


def filtered(
    image: np.ndarray, sigma: float, seed: int, *, taps: Sequence[float], full: bool = False
) -> np.ndarray:
    """Add blurred white noise: ``sat(round(x + sigma * (K * eps)))``, K = taps x taps.

    Args:
        image: (H, W, C) uint8.
        sigma: Factor, in 8-bit units; the standard deviation where ``taps`` has norm 1.
        seed: Determines the result.
        taps: Symmetric 1-D kernel of odd length.
        full: Draw noise beyond the border too; otherwise it counts as 0 there.
    """
    import cv2

    height, width, channels = image.shape
    r = len(taps) // 2 if full else 0
    white = normal_field((height + 2 * r, width + 2 * r, channels), seed)
    kernel = np.asarray(taps, np.float32)
    noise = cv2.sepFilter2D(
        white, cv2.CV_32F, kernel * np.float32(sigma), kernel, borderType=cv2.BORDER_CONSTANT
    ).reshape(white.shape)
    return _add(image, np.ascontiguousarray(noise[r : r + height, r : r + width]))

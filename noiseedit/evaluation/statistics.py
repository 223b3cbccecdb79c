"""Means with intervals, curves over levels, and where two curves cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from noiseedit.seeding import derive_seed

RESAMPLES = 1000
CHUNK_VALUES = 4_000_000


class Interval(NamedTuple):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


def mean_interval(
    values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES, level: float = 0.95
) -> Interval:
    """Return the mean of ``values`` and the percentile bootstrap interval of that mean.

    Args:
        values: One per image.
        seed: Determines the resampling.
        resamples: How many times the images are drawn with replacement.
        level: Probability that the interval covers.

    Raises:
        ValueError: If there are no values.
    """
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        raise ValueError('mean_interval: expected at least one value')
    if not np.isfinite(array).all():
        return Interval(float('nan'), float('nan'), float('nan'))
    rng = np.random.default_rng(derive_seed(seed, 'eval', 'bootstrap', array.size))
    per_chunk = max(1, CHUNK_VALUES // array.size)
    means = [
        array[rng.integers(0, array.size, (min(per_chunk, resamples - done), array.size))].mean(1)
        for done in range(0, resamples, per_chunk)
    ]
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), (tail, 1 - tail))
    return Interval(float(array.mean()), float(low), float(high))


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Return the mean of independent repetitions and its interval by Student's t.

    Args:
        values: One per repetition; a single one has no interval (NaN).
        level: Probability that the interval covers.
    """
    from scipy.stats import t

    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, float('nan'), float('nan'))
    half = deviation(values) / len(values) ** 0.5 * float(t.ppf((1 + level) / 2, len(values) - 1))
    return Interval(mean, mean - half, mean + half)


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation over images (n - 1); 0 for a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def area(levels: Sequence[float], values: Sequence[float]) -> float:
    """Return the area under a curve over levels (trapezoids), in value times level."""
    order = np.argsort(levels)
    at, value = np.asarray(levels, float)[order], np.asarray(values, float)[order]
    return float((np.diff(at) * (value[1:] + value[:-1]) / 2).sum())


def break_even(levels: Sequence[float], a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the lowest level at which curve ``a`` meets curve ``b``, linear in between.

    Args:
        levels: Ascending or not; at least one.
        a: Values of the first curve.
        b: Values of the second.

    Returns:
        ``None`` if they do not meet within the levels.

    Raises:
        ValueError: If the three differ in length.
    """
    if not len(levels) == len(a) == len(b):
        raise ValueError(f'break_even: {len(levels)} levels, {len(a)} and {len(b)} values')
    order = np.argsort(levels)
    at, gap = np.asarray(levels, float)[order], (np.asarray(a, float) - np.asarray(b))[order]
    for i in range(len(at)):
        if gap[i] == 0:
            return float(at[i])
        if i + 1 < len(at) and gap[i] * gap[i + 1] < 0:
            share = gap[i] / (gap[i] - gap[i + 1])
            return float(at[i] + share * (at[i + 1] - at[i]))
    return None

"""What given noise looks like: its variance over intensity, its correlation over distance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.errors import DataError
from noiseedit.theory.checks import Array, array, whole

LEAST_PIXELS = 100
"""Values that a bin of intensity needs: a variance of fewer is off by more than some 15 %."""


class LevelCurve(NamedTuple):
    """Noise over intensity; bins with too few values are left out.

    Attributes:
        intensity: Mean clean value of each bin.
        variance: Of the noise in it, in squared units of the images.
        mean: Of the noise in it.
        count: Values in it.
    """

    intensity: Array
    variance: Array
    mean: Array
    count: Array


def noise_level_function(
    noisy: ArrayLike, clean: ArrayLike, bins: int = 32, least: int = LEAST_PIXELS
) -> LevelCurve:
    """Return mean and variance of ``noisy - clean`` where the clean image is equally bright.

    Straight for Poisson-Gaussian noise (variance = a x + b), flat for Gaussian noise, falling at
    the ends where noisy values were clipped.

    Args:
        noisy: Any shape.
        clean: The same shape.
        bins: Equal ones between the darkest and the brightest clean value.
        least: Values that a bin needs to be in the result.

    Raises:
        DataError: If shapes differ, values are not finite, or no bin has values enough.
    """
    bins, noisy, clean = whole('bins', bins), *_pair(noisy, clean)
    edges = np.linspace(clean.min(), clean.max(), bins + 1)
    place = np.clip(np.searchsorted(edges, clean.ravel(), 'right') - 1, 0, bins - 1)
    noise = (noisy - clean).ravel()
    sums = [np.bincount(place, w, bins) for w in (None, clean.ravel(), noise, noise * noise)]
    chosen = sums[0] >= least
    if not chosen.any():
        raise DataError(f'noise curve: no bin of intensity has {least} values; {noise.size} in all')
    count, *totals = (part[chosen].astype(np.float64) for part in sums)
    intensity, mean, square = (total / count for total in totals)
    return LevelCurve(intensity, np.maximum(square - mean * mean, 0), mean, count)


def autocorrelation(noise: ArrayLike, max_lag: int = 8) -> tuple[Array, Array]:
    """Return the correlation of noise with itself, shifted across and down by 0, 1, ... pixels.

    ``mean(n(p) n(p + k)) / mean(n(p)^2)`` per channel, less the channel's mean, then over channels:
    1 at lag 0; 0 beyond it for white noise, to within 1 / sqrt(pixels).

    Args:
        noise: (H, W) or (H, W, C).
        max_lag: The largest shift.

    Returns:
        Across and down, (max_lag + 1,) each.

    Raises:
        DataError: If the noise is constant or not larger than the shift.
    """
    field, lags = array('noise', noise), range(whole('max_lag', max_lag, low=0) + 1)
    if field.ndim not in (2, 3) or min(field.shape[:2]) <= max_lag:
        raise DataError(
            f'autocorrelation: expected (H, W) or (H, W, C), sides above {max_lag}, got '
            f'{field.shape}'
        )
    field = field.reshape(*field.shape[:2], -1)
    field = field - field.mean((0, 1))
    power = np.mean(field * field, (0, 1))
    if not (power > 0).all():
        raise DataError('autocorrelation: the noise of a channel is constant')
    down, across = field, field.swapaxes(0, 1)
    return tuple(  # type: ignore[return-value]
        np.array([_correlation(side, lag, power) for lag in lags]) for side in (across, down)
    )


def _correlation(field: Array, lag: int, power: Array) -> float:
    products = field[lag:] * field[: len(field) - lag]
    return float(np.mean(products.mean((0, 1)) / power))


def _pair(noisy: ArrayLike, clean: ArrayLike) -> tuple[Array, Array]:
    first, second = array('noisy', noisy), array('clean', clean)
    if first.shape != second.shape or not first.size:
        raise DataError(f'noise: expected two of one shape, got {first.shape}, {second.shape}')
    if not np.isfinite(first - second).all():
        raise DataError('noise: expected finite images')
    return first, second

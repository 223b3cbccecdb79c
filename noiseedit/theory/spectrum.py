"""Eigenvalues of images: of the covariance of patches, or of the Fourier spectrum.

``lam_i`` are the eigenvalues of the source covariance ``Sigma_s``. They must be positive: those
below what 8 bits resolve are lifted to that floor, and noise in the data themselves is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory import checks
from noiseedit.theory.checks import Array
from noiseedit.theory.patches import (
    Channels,
    check_channels,
    patch_statistics,
    whole_numbers,
)
from noiseedit.theory.streaming import Images, Progress, map_images
from noiseedit.theory.units import range_width

NOISE_FLOOR = 0.1  # of the noise variance that was subtracted


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues that the rules can be given, and what was done to them.

    Attributes:
        eigenvalues: Descending, all >= ``floor``.
        floor: What smaller ones were lifted to.
        floored: How many were.
        noise_variance: What was subtracted from each before.
    """

    eigenvalues: Array
    floor: float
    floored: int
    noise_variance: float


def patch_spectrum(
    images: Images,
    patch_size: int = 8,
    channels: Channels = 'luma',
    *,
    value_range: str = '[-1,1]',
    floor: float | None = None,
    noise_variance: float = 0.0,
    workers: int = 1,
    progress: Progress | None = None,
) -> Array:
    """Return the eigenvalues of the patch covariance, descending, all positive.

    Args:
        images: A folder, or an iterable of paths and arrays; see
            :func:`~noiseedit.theory.patch_statistics`, also for the other arguments.
        patch_size: ``p``.
        channels: ``'luma'`` (d = p^2), ``'rgb'`` (jointly, d = 3 p^2) or ``'each'`` (those of the
            three channels together, d = 3 p^2).
        value_range: Units of the result, of ``floor`` and of ``noise_variance``.
        floor: Least eigenvalue; ``None``: see :func:`usable_spectrum`.
        noise_variance: Of the noise that the images already hold; it is subtracted.
        workers: Processes.
        progress: Wraps the stream of images done.

    Returns:
        Shape ``(d,)``.

    Raises:
        ConfigError: If an option is not allowed.
        DataError: If an image cannot be used, or there are too few patches.
    """
    usable_spectrum([1.0], floor=floor, noise_variance=noise_variance, value_range=value_range)
    found = patch_statistics(
        images, patch_size, channels, value_range=value_range, workers=workers, progress=progress
    )
    return usable_spectrum(
        found.eigenvalues, floor=floor, noise_variance=noise_variance, value_range=value_range
    ).eigenvalues


def usable_spectrum(
    eigenvalues: ArrayLike,
    *,
    floor: float | None = None,
    noise_variance: float = 0.0,
    value_range: str = '[-1,1]',
) -> Spectrum:
    """Take off the noise of the data, lift to the floor, and say what was done.

    Args:
        eigenvalues: Raw, in any order, in units of ``value_range``.
        floor: Least eigenvalue; ``None``: the variance of rounding to 8 bits, ``step^2 / 12``
            (5.126e-6 in [-1, 1]), or a tenth of ``noise_variance`` where that is more.
        noise_variance: ``v0``, variance of white noise in the data.
        value_range: Range that all this refers to.

    Raises:
        ConfigError: If ``floor`` is not positive, or ``noise_variance`` negative, or the range
            unknown.
        DataError: If the eigenvalues are no vector of finite numbers.
    """
    noise_variance = checks.number('noise_variance', noise_variance)
    if floor is None:
        floor = max(rounding_variance(value_range), NOISE_FLOOR * noise_variance)
    raw = np.sort(checks.vector('eigenvalues', eigenvalues))[::-1] - noise_variance
    lifted = floor_eigenvalues(raw, floor)
    return Spectrum(lifted, float(floor), int(np.sum(raw < floor)), noise_variance)


def rounding_variance(value_range: str = '[-1,1]') -> float:
    """Return ``step^2 / 12``, the variance of rounding to 8 bits, in units of ``value_range``.

    Raises:
        ConfigError: If the range is unknown.
    """
    return (range_width(value_range) / 255) ** 2 / 12


def floor_eigenvalues(eigenvalues: ArrayLike, floor: float) -> Array:
    """Return ``max(lam_i, floor)``.

    Raises:
        ConfigError: If ``floor`` is not a positive number.
        DataError: If the eigenvalues are no vector of finite numbers.
    """
    floor = checks.number('floor', floor, exclusive=True)
    return np.maximum(checks.vector('eigenvalues', eigenvalues), floor)


def correct_noise(eigenvalues: ArrayLike, noise_variance: float) -> Array:
    """Return ``max(lam_i - v0, v0 / 10)``: eigenvalues without the white noise in the data.

    Raises:
        ConfigError: If ``noise_variance`` is not a positive number.
        DataError: If the eigenvalues are no vector of finite numbers.
    """
    noise_variance = checks.number('noise_variance', noise_variance, exclusive=True)
    clean = checks.vector('eigenvalues', eigenvalues) - noise_variance
    return floor_eigenvalues(clean, NOISE_FLOOR * noise_variance)


# Fourier spectrum.


def dft_spectrum(
    images: Images,
    size: int = 256,
    channels: Channels = 'luma',
    *,
    value_range: str = '[-1,1]',
    workers: int = 1,
    progress: Progress | None = None,
) -> Array:
    """Return the mean power spectrum of the images' centres.

    ``PSD = |FFT((x - mean) w)|^2 / sum(w^2)`` with the periodic Hann window ``w``, averaged over
    images: the eigenvalues of the circulant model of stationary images. The mean of the PSD is the
    (windowed) variance. Nothing is floored.

    Args:
        images: As for :func:`patch_spectrum`.
        size: Edge of the centred crop in pixels.
        channels: ``'luma'`` or ``'each'``. Joint ``'rgb'`` has no one value per frequency.
        value_range: Units of the result.
        workers: Processes.
        progress: Wraps the stream of images done.

    Returns:
        Shape ``(size, size)``, or ``(3, size, size)`` for ``'each'``; frequencies in the order of
        ``numpy.fft.fftfreq``.

    Raises:
        ConfigError: If an option is not allowed.
        DataError: If an image cannot be used or is smaller than ``size`` (named).
    """
    size = checks.whole('size', size, low=2)
    check_channels(channels, ('luma', 'each'))
    width = range_width(value_range)
    total: Array | float = 0.0
    done = 0
    work = partial(_power, size=size, channels=channels)
    for power in map_images(work, images, workers, progress):
        total, done = total + power, done + 1
    return np.asarray(total * (width**2 / done))[0 if channels == 'luma' else slice(None)]


def _power(image: np.ndarray, name: str, *, size: int, channels: Channels) -> Array:
    """Return the power spectrum (planes, size, size) of the centre, in [0, 1]."""
    height, width = image.shape[:2]
    if min(height, width) < size:
        raise DataError(f'{name}: {height} x {width} is smaller than the crop of {size} x {size}')
    top, left = (height - size) // 2, (width - size) // 2
    planes, scale = whole_numbers(image[top : top + size, left : left + size], channels)
    planes = planes.astype(np.float64) / scale
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    window = np.outer(hann, hann)
    centred = planes - planes.mean(axis=(1, 2), keepdims=True)
    return np.abs(np.fft.fft2(centred * window)) ** 2 / np.sum(window**2)


def spectral_slope(psd: ArrayLike, low: float = 4 / 256, high: float = 0.35) -> float:
    """Return the slope ``b`` of ``PSD ~ f^b``; natural images have about -2.

    Least squares of ``ln PSD`` on ``ln f`` over all frequencies with ``low < f < high``, where
    ``f`` is the distance from zero frequency.

    Args:
        psd: Power spectrum (..., H, W) in the order of ``numpy.fft.fftfreq``; leading axes are
            averaged.
        low: In cycles per pixel.
        high: In cycles per pixel.

    Raises:
        ConfigError: If fewer than two different frequencies lie between ``low`` and ``high``.
        DataError: If the power there is not positive and finite.
    """
    power = checks.array('psd', psd)
    if power.ndim < 2:
        raise DataError(f'psd: expected shape (..., H, W), got {power.shape}')
    power = power.reshape(-1, *power.shape[-2:]).mean(axis=0)
    vertical, horizontal = (np.fft.fftfreq(edge) for edge in power.shape)
    radius = np.hypot(vertical[:, None], horizontal[None])
    band = (radius > checks.number('low', low)) & (radius < checks.number('high', high))
    if np.unique(radius[band]).size < 2:
        raise ConfigError(f'low={low}, high={high}: a band with less than two frequencies')
    if not (np.isfinite(power[band]).all() and power[band].min() > 0):
        raise DataError('psd: expected positive finite power in the band')
    return float(np.polyfit(np.log(radius[band]), np.log(power[band]), 1)[0])

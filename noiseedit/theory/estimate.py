"""How noisy images are: the variance of white noise, estimated from the images alone.

Both estimators look where pictures have least: in the weakest directions of their patches, or at
the finest diagonal scale. Noise is taken as white, of one variance per image and alike in all
channels; correlated noise (demosaicked, compressed, resized) comes out too small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory.checks import Array
from noiseedit.theory.patches import PatchSums, patch_sums, whole_numbers
from noiseedit.theory.streaming import Image, Images, Progress, load_image, map_images
from noiseedit.theory.units import range_width

Method: TypeAlias = Literal['eigenvalue', 'wavelet']

PATCH = 6
NOTHING = 1e-12  # variance in [0, 1] far below that of rounding to 8 bits
SMALLEST = 24  # edge of the smallest image
MEDIAN_TO_SIGMA = 0.6744897501960817  # median of |N(0, 1)|
UPPER_PERCENTILE = 95.0  # of the images' variances: lambda_max

_ROOT3 = np.sqrt(3.0)
DB2_DETAIL = np.array([1 - _ROOT3, _ROOT3 - 3, 3 + _ROOT3, -1 - _ROOT3]) / (4 * np.sqrt(2.0))
"""High-pass filter of Daubechies' wavelet with two vanishing moments, norm 1."""


@dataclass(frozen=True, eq=False)
class DeploymentLevels:
    """Noise of a set of images as the rules for the training level take it.

    Attributes:
        variances: Estimate per image, in the order of the images, shape ``(n,)``.
        mean_variance: Their mean, ``E[sigma_e^2]``: the level of the average rule.
        max_variance: Their 95th percentile: the ``lambda_max`` of the minimax rule.
        value_range: What they are in.
    """

    variances: Array
    mean_variance: float
    max_variance: float
    value_range: str


def estimate_noise_variance(
    image: Image, method: Method = 'eigenvalue', value_range: str = '[-1,1]'
) -> float:
    """Return the variance of the white noise in one image; of colour, the mean over channels.

    ``'eigenvalue'``: ``l_min / (1 - sqrt(d / n))^2``, where ``l_min`` is the smallest eigenvalue of
    the covariance of all ``n`` overlapping 6 x 6 patches (``d = 36``): what the picture leaves to
    the noise alone. The divisor is its limit for noise of variance 1 (Marchenko and Pastur); it
    matters for small images. After Pyatykh, Hesser and Zheng, "Image Noise Level Estimation by
    Principal Component Analysis", IEEE TIP 2013, but of all patches, none selected. Texture in
    every direction adds to weak noise: natural pictures without noise do not give 0.

    ``'wavelet'``: ``(median |HH| / 0.6745)^2`` of the finest diagonal coefficients of the
    orthonormal db2 wavelet (Donoho and Johnstone, Biometrika 1994), without those at the border.
    Faster, and further too high where there is fine texture.

    Noise that was clipped to the range has less variance (a pixel at black or white keeps 0.3408
    of it) and is estimated so; rounding to 8 bits adds its own ``step^2 / 12``.

    Args:
        image: A path, or (H, W), (H, W, 1), (H, W, 3): uint8 or floats in [0, 1].
        method: ``'eigenvalue'`` or ``'wavelet'``.
        value_range: Units of the result.

    Raises:
        ConfigError: If ``method`` or ``value_range`` is unknown.
        DataError: If the image cannot be used, or is smaller than 24 x 24.
    """
    estimator, width = _estimator(method), range_width(value_range)
    name = 'image' if isinstance(image, np.ndarray) else str(image)
    return estimator(load_image(image), name) * width**2


def deployment_levels(
    images: Images,
    method: Method = 'eigenvalue',
    *,
    value_range: str = '[-1,1]',
    workers: int = 1,
    progress: Progress | None = None,
) -> DeploymentLevels:
    """Return the noise variances of sample images, their mean and their 95th percentile.

    Args:
        images: A folder, or an iterable of paths and arrays, see :func:`estimate_noise_variance`.
        method: ``'eigenvalue'`` or ``'wavelet'``.
        value_range: Units of the result.
        workers: Processes, see :func:`~noiseedit.theory.streaming.map_images`.
        progress: Wraps the stream of images done, as ``tqdm`` does; ``None``: none.

    Raises:
        ConfigError: If an option is unknown.
        DataError: If there are no images, or one cannot be used (named).
    """
    work, width = _estimator(method), range_width(value_range)
    found = np.array(list(map_images(work, images, workers, progress))) * width**2
    return DeploymentLevels(
        variances=found,
        mean_variance=float(found.mean()),
        max_variance=float(np.percentile(found, UPPER_PERCENTILE)),
        value_range=value_range,
    )


def half_size_ratio(images: Images, *, progress: Progress | None = None) -> float | None:
    """Return how much more noise 2 x 2 averages of the pixels have than they have of white noise.

    ``4 v_half / v`` with the medians over images of the wavelet estimates. White noise has 1.
    Noise that neighbours share, as after demosaicking or compression, has more, and
    :func:`estimate_noise_variance` finds too little of it; so have pictures whose fine texture
    outweighs the noise.

    Args:
        images: A folder, or an iterable of paths and arrays, see :func:`estimate_noise_variance`.
        progress: Wraps the stream of images done; ``None``: none.

    Returns:
        The ratio; ``None`` if no image is 48 x 48 or larger, or there is no noise.

    Raises:
        DataError: If there are no images, or one cannot be used (named).
    """
    pairs = np.array(list(map_images(_full_and_half, images, 1, progress)))
    known = pairs[np.isfinite(pairs[:, 1])]
    full, half = np.median(known, axis=0) if len(known) else (0.0, 0.0)
    return float(4 * half / full) if full > NOTHING else None


def _full_and_half(image: np.ndarray, name: str) -> tuple[float, float]:
    height, width = (edge // 2 for edge in image.shape[:2])
    variance = _wavelet_mad(image, name)
    if min(height, width) < SMALLEST:
        return variance, np.nan
    values = image / (255 if image.dtype == np.uint8 else 1)
    cells = values[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
    return variance, _wavelet_mad(cells.mean(axis=(1, 3)), name)


def _estimator(method: str) -> Callable[[np.ndarray, str], float]:
    known = {'eigenvalue': _smallest_eigenvalue, 'wavelet': _wavelet_mad}
    if method not in known:
        raise ConfigError(f'method: expected one of {", ".join(known)}, got {method!r}')
    return known[method]


def _check_size(image: np.ndarray, name: str) -> None:
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST:
        raise DataError(
            f'{name}: {height} x {width} is too small to estimate noise from; expected at least '
            f'{SMALLEST} x {SMALLEST}'
        )


def _smallest_eigenvalue(image: np.ndarray, name: str) -> float:
    """Return the estimate in [0, 1]: overlapping patches are the adjoining ones of p^2 shifts."""
    _check_size(image, name)
    planes, scale = whole_numbers(image, 'luma' if image.shape[2] == 1 else 'each')
    shifted = (planes[:, top:, left:] for top in range(PATCH) for left in range(PATCH))
    parts = (patch_sums(part, scale, PATCH, joint=False) for part in shifted)
    sums = reduce(add, parts, PatchSums())
    smallest = np.linalg.eigvalsh(sums.covariance)[:, 0].clip(min=0)
    return float(smallest.mean() / (1 - np.sqrt(PATCH**2 / sums.count)) ** 2)


def _wavelet_mad(image: np.ndarray, name: str) -> float:
    """Return the estimate in [0, 1]."""
    _check_size(image, name)
    values = image.astype(np.float64) / (255 if image.dtype == np.uint8 else 1)
    diagonal = np.abs(_detail(_detail(values, axis=0), axis=1))
    sigma = np.median(diagonal, axis=(0, 1)) / MEDIAN_TO_SIGMA
    return float(np.mean(sigma**2))


def _detail(values: Array, axis: int) -> Array:
    """Return every second coefficient of the high-pass filter, as far as it fits."""
    windows = sliding_window_view(values, DB2_DETAIL.size, axis=axis)
    kept = windows[::2] if axis == 0 else windows[:, ::2]
    return kept @ DB2_DETAIL

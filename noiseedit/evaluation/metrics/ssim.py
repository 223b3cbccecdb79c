"""Structural similarity (Wang et al., Image Quality Assessment, IEEE TIP 13(4), 2004)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import PairMetric, check_pair
from noiseedit.evaluation.profiles import Array, Window
from noiseedit.registry import METRICS

Precision = Literal['float64', 'float32']

SIZE, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
STRIP_ROWS = 96

Smooth: TypeAlias = Callable[[Array], Array]


def ssim(
    pred: Array,
    target: Array,
    peak: float = 255.0,
    *,
    window: Window = 'gaussian',
    precision: Precision = 'float64',
) -> float:
    """Return the mean SSIM over the valid region and the channels.

    ``((2 m1 m2 + C1)(2 s12 + C2)) / ((m1^2 + m2^2 + C1)(s1^2 + s2^2 + C2))`` with local means,
    variances and covariance under an 11x11 Gaussian window of sigma 1.5, C1 = (0.01 peak)^2,
    C2 = (0.03 peak)^2: the definition of the paper, without its optional downsampling.

    Args:
        pred: (H, W) or (H, W, C) uint8, float32 or float64, at least as large as the window.
        target: The same shape and type.
        peak: Width of the value range.
        window: ``'gaussian'``, or ``'uniform7'`` (7x7 mean, sample covariance).
        precision: Of the arithmetic; ``'float32'`` is about twice as fast, within 1e-6.
    """
    similarity, _ = ssim_terms(pred, target, peak, window=window, precision=precision)
    return float(similarity.mean())


def ssim_terms(
    pred: Array,
    target: Array,
    peak: float,
    *,
    window: Window = 'gaussian',
    precision: Precision = 'float64',
) -> tuple[Array, Array]:
    """Return, per channel, the mean of SSIM and of its contrast-structure term, (C,) float64.

    Args:
        pred: See :func:`ssim`.
        target: Likewise.
        peak: Likewise.
        window: Likewise.
        precision: Likewise.

    Raises:
        DataError: If the arrays cannot be compared or are smaller than the window.
    """
    check_pair(pred, target)
    size = SIZE if window == 'gaussian' else 7
    if min(pred.shape[:2]) < size:
        raise DataError(
            f'SSIM: expected images of at least {size}x{size} pixels, got '
            f'{pred.shape[0]}x{pred.shape[1]}'
        )
    planes = pred.shape[2] if pred.ndim == 3 else 1
    terms = [
        _plane_terms(_plane(pred, i, precision), _plane(target, i, precision), peak, window)
        for i in range(planes)
    ]
    similarity, contrast = np.array(terms).T
    return similarity, contrast


def _plane(image: Array, index: int, precision: Precision) -> Array:
    plane = image[..., index] if image.ndim == 3 else image
    return np.ascontiguousarray(plane, dtype=precision)


def _plane_terms(x: Array, y: Array, peak: float, window: Window) -> Array:
    """Return the means of SSIM and of its contrast-structure term over one channel, (2,) float64.

    Works in strips that fit a processor's cache. In float32 the grey level that both images share
    is taken out first, so that E[x^2] - E[x]^2 cancels less.
    """
    smooth, half = _filter(window)
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    if window == 'uniform7':  # the sample covariance: 49/48 of every variance is c2 times 48/49
        c2 *= 48 / 49
    shift = x.dtype.type(y.mean()) if x.dtype == np.float32 else None
    height, width = (side - 2 * half for side in x.shape)
    total = np.zeros(2)
    for top in range(0, height, STRIP_ROWS):
        rows = slice(top, min(top + STRIP_ROWS, height) + 2 * half)
        similarity, contrast = _strip_maps(x[rows], y[rows], shift, (c1, c2), smooth)
        total += similarity.sum(dtype=np.float64), contrast.sum(dtype=np.float64)
    return total / (height * width)


def _strip_maps(
    x: Array, y: Array, shift: float | None, constants: tuple[float, float], smooth: Smooth
) -> tuple[Array, Array]:
    """Return both terms per pixel; four filters, as only the sum of the variances is needed."""
    if shift is not None:
        x, y = x - shift, y - shift
    mean_x, mean_y = smooth(x), smooth(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    c1, c2 = constants
    contrast = 2 * (smooth(x * y) - product) + c2
    contrast /= smooth(x * x + y * y) - squares + c2
    if shift is not None:
        mean_x, mean_y = mean_x + shift, mean_y + shift
        product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    similarity = 2 * product + c1
    similarity /= squares + c1
    similarity *= contrast
    return similarity, contrast


def _filter(window: Window) -> tuple[Smooth, int]:
    """Return the local mean over the valid region, and half the width of the window."""
    import cv2

    if window == 'uniform7':
        return lambda image: cv2.blur(image, (7, 7))[3:-3, 3:-3], 3
    kernel = cv2.getGaussianKernel(SIZE, SIGMA)
    half = SIZE // 2
    return lambda image: cv2.sepFilter2D(image, -1, kernel, kernel)[half:-half, half:-half], half


@METRICS.register_module()
class SSIM(PairMetric):
    """SSIM per image, under a protocol; the result is the mean over images.

    Args:
        profile: See :class:`~noiseedit.evaluation.metrics.base.PairMetric`; likewise the rest.
            ``'skimage'`` uses scikit-image's default window (7x7 uniform, sample covariance).
        channels: See above.
        rounding: See above.
        border: See above.
        precision: ``'float64'`` (exact to 1e-12) or ``'float32'`` (within 1e-6, twice as fast).
    """

    def __init__(
        self,
        profile: str = 'uint8',
        *,
        channels: str | None = None,
        rounding: str | None = None,
        border: int | None = None,
        precision: Precision = 'float64',
    ) -> None:
        super().__init__(profile, channels=channels, rounding=rounding, border=border)
        if precision not in ('float64', 'float32'):
            raise ConfigError(f"precision: expected 'float64' or 'float32', got {precision!r}")
        self.precision: Precision = precision

    def compare(self, pred: Array, target: Array) -> float:
        """Return :func:`ssim`."""
        window = self.protocol.window
        return ssim(pred, target, self.protocol.peak, window=window, precision=self.precision)

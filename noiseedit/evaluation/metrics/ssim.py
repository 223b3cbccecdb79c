"""Structural similarity (Wang et al., Image Quality Assessment, IEEE TIP 13(4), 2004)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import PairMetric, check_pair
from noiseedit.evaluation.profiles import Array, Window
from noiseedit.registry import METRICS

Precision = Literal['float64', 'float32']

SIZE, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
STRIP_ROWS = 128

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
    return float(ssim_term(pred, target, peak, window=window, precision=precision).mean())


def ssim_term(
    pred: Array,
    target: Array,
    peak: float,
    *,
    window: Window = 'gaussian',
    precision: Precision = 'float64',
    light: bool = True,
) -> Array:
    """Return the mean SSIM of each channel, (C,) float64.

    Args:
        pred: See :func:`ssim`.
        target: Likewise.
        peak: Likewise.
        window: Likewise.
        precision: Likewise.
        light: False: only the second of the two factors, contrast and structure.

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
    pred, target = (image.reshape(*image.shape[:2], planes) for image in (pred, target))
    kind = np.dtype(precision)
    pairs = [(pred[..., i], target[..., i]) for i in range(planes)]
    return np.array([_plane_mean(x, y, peak, window, kind, light) for x, y in pairs])


def _plane_mean(
    x: Array, y: Array, peak: float, window: Window, kind: np.dtype, light: bool
) -> float:
    """Return the mean over the valid region of one channel.

    Works in strips that fit a processor's cache. In float32 the grey level that both images share
    is taken out first, so that E[x^2] - E[x]^2 cancels less.
    """
    smooth, half = _filter(window)
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    if window == 'uniform7':  # the sample covariance: 49/48 of every variance is c2 times 48/49
        c2 *= 48 / 49
    x, y = (np.array(image, dtype=kind, order='C') for image in (x, y))
    shift = float(y.mean()) if kind == np.float32 else 0.0
    if shift:
        x -= shift
        y -= shift
    height, width = (side - 2 * half for side in x.shape)
    total = 0.0
    for top in range(0, height, STRIP_ROWS):
        rows = slice(top, min(top + STRIP_ROWS, height) + 2 * half)
        ratio = _contrast_light(x[rows], y[rows], smooth, (c1, c2), shift if light else None)
        total += float(ratio[:, half : half + width].sum(dtype=np.float64))
    return total / (height * width)


def _contrast_light(
    x: Array, y: Array, smooth: Smooth, constants: tuple[float, float], shift: float | None
) -> Array:
    """Return SSIM per pixel, without the factor of light if ``shift`` is ``None``.

    Four filters, as only the sum of the variances is needed, and one division, in place.
    """
    c1, c2 = constants
    mean_x, mean_y = smooth(x), smooth(y)
    squares = x * x
    squares += y * y
    above, below = smooth(x * y), smooth(squares)  # become 2 cov + c2 and var + var + c2
    product = mean_x * mean_y
    norms = mean_x * mean_x
    norms += mean_y * mean_y
    above -= product
    above *= 2
    above += c2
    below -= norms
    below += c2
    if shift is not None:
        offset = _offset(mean_x, mean_y, shift, c1)
        product *= 2
        product += offset
        above *= product
        norms += offset
        below *= norms
    above /= below
    return above


def _offset(a: Array, b: Array, shift: float, c1: float) -> Array | float:
    """Return what ``2 a b`` and ``a^2 + b^2`` lack: (a + s)(b + s) = a b + s (a + b) + s^2.

    Uses up ``a``.
    """
    if not shift:
        return c1
    a += b
    a *= 2 * shift
    a += 2 * shift * shift + c1
    return a


def _filter(window: Window) -> tuple[Smooth, int]:
    """Return the local mean over the valid rows (all columns), and half the window's width."""
    import cv2

    if window == 'uniform7':
        return lambda image: cv2.blur(image, (7, 7))[3:-3], 3
    kernel = cv2.getGaussianKernel(SIZE, SIGMA)
    half = SIZE // 2
    return lambda image: cv2.sepFilter2D(image, -1, kernel, kernel)[half:-half], half


@METRICS.register_module()
class SSIM(PairMetric):
    """SSIM per image, under a protocol; the result is the mean over images.

    Args:
        profile: See :class:`~noiseedit.evaluation.metrics.base.PairMetric`. ``'skimage'`` uses
            scikit-image's default window (7x7 uniform, sample covariance).
        precision: ``'float64'`` (exact to 1e-12) or ``'float32'`` (within 1e-6, twice as fast).
        **changes: Other arguments of ``PairMetric``.
    """

    def __init__(
        self,
        profile: str = 'uint8',
        *,
        precision: Precision = 'float64',
        **changes: Any,
    ) -> None:
        super().__init__(profile, **changes)
        if precision not in ('float64', 'float32'):
            raise ConfigError(f"precision: expected 'float64' or 'float32', got {precision!r}")
        self.precision: Precision = precision

    def compare(self, pred: Array, target: Array) -> float:
        """Return :func:`ssim`."""
        window = self.protocol.window
        return ssim(pred, target, self.protocol.peak, window=window, precision=self.precision)

"""Multi-scale structural similarity (Wang, Simoncelli, Bovik, Asilomar 2003)."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import PairMetric, check_pair
from noiseedit.evaluation.metrics.ssim import SIZE, Precision, ssim_term
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MIN_SIDE = (SIZE - 1) * 2 ** (len(WEIGHTS) - 1) + 1


def ms_ssim(
    pred: Array, target: Array, peak: float = 255.0, *, precision: Precision = 'float64'
) -> float:
    """Return the product of contrast-structure over five scales and SSIM at the last, weighted.

    Per channel ``prod_j max(cs_j, 0)^w_j * max(ssim_5, 0)^w_5``, averaged over channels; between
    scales a mean over 2x2 pixels. An odd last row or column is dropped there (some libraries pad
    it with zeros instead).

    Args:
        pred: (H, W) or (H, W, C) uint8, float32 or float64, both sides at least 161.
        target: The same shape and type.
        peak: Width of the value range.
        precision: Of the arithmetic.

    Raises:
        DataError: If the arrays cannot be compared or are too small for five scales.
    """
    check_pair(pred, target)
    if min(pred.shape[:2]) < MIN_SIDE:
        raise DataError(
            f'MS-SSIM: five scales need sides of at least {MIN_SIDE} pixels, got '
            f'{pred.shape[0]}x{pred.shape[1]}; use SSIM for small images'
        )
    product: Any = 1.0
    for scale, weight in enumerate(WEIGHTS, start=1):
        last = scale == len(WEIGHTS)
        term = ssim_term(pred, target, peak, precision=precision, light=last)
        product = product * np.maximum(term, 0) ** weight
        pred, target = _halve(pred, precision), _halve(target, precision)
    return float(np.mean(product))


def _halve(image: Array, precision: Precision) -> Array:
    """Return the means of 2x2 pixels."""
    height, width = (side - side % 2 for side in image.shape[:2])
    image = image[:height, :width].astype(precision, copy=False)
    rows = image[0::2] + image[1::2]
    return (rows[:, 0::2] + rows[:, 1::2]) / 4


@METRICS.register_module(name='MS_SSIM')
class MSSSIM(PairMetric):
    """MS-SSIM per image, under a protocol; the result is the mean over images.

    Args:
        profile: See :class:`~noiseedit.evaluation.metrics.base.PairMetric`.
        precision: ``'float64'`` or ``'float32'``.
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
        if self.protocol.window != 'gaussian':
            raise ConfigError(f'MS-SSIM knows the Gaussian window alone, not profile={profile!r}')
        self.precision: Precision = precision
        self.name = f'MS_SSIM({self.protocol})'

    def compare(self, pred: Array, target: Array) -> float:
        """Return :func:`ms_ssim`."""
        return ms_ssim(pred, target, self.protocol.peak, precision=self.precision)

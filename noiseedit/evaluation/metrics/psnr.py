"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math

import numpy as np

from noiseedit.evaluation.metrics.base import PairMetric, check_pair
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS

MAX_DB = 100.0


def mse(pred: Array, target: Array) -> float:
    """Return the mean squared difference; exact for uint8 (an integer sum).

    Args:
        pred: (H, W) or (H, W, C) uint8, float32 or float64.
        target: The same shape and type.
    """
    check_pair(pred, target)
    if pred.dtype == np.uint8:
        import cv2

        # an integer, but some versions of OpenCV square its square root
        return round(cv2.norm(pred, target, cv2.NORM_L2SQR)) / pred.size
    difference = np.subtract(pred, target, dtype=np.float64).ravel()
    return float(difference @ difference) / pred.size


def psnr(pred: Array, target: Array, peak: float = 255.0) -> float:
    """Return ``10 log10(peak^2 / MSE)`` in dB; infinite for identical images.

    Args:
        pred: (H, W) or (H, W, C) uint8, float32 or float64.
        target: The same shape and type.
        peak: Width of the value range.
    """
    error = mse(pred, target)
    return 10 * math.log10(peak * peak / error) if error > 0 else math.inf


@METRICS.register_module()
class PSNR(PairMetric):
    """PSNR in dB per image, under a protocol; the result is the mean over images.

    Values are capped at 100 dB (an error of 1e-10 of the squared range), so that one image
    reproduced exactly does not make the mean infinite. :func:`psnr` is not capped.

    Args:
        profile: See :class:`~noiseedit.evaluation.metrics.base.PairMetric`; likewise the rest.
    """

    def compare(self, pred: Array, target: Array) -> float:
        """Return :func:`psnr`, at most 100."""
        return min(psnr(pred, target, self.protocol.peak), MAX_DB)

"""Kolmogorov-Smirnov distance between the values of generated and of real noise."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from noiseedit.evaluation.metrics.generated_noise import GeneratedNoiseMetric, as_steps
from noiseedit.evaluation.metrics.noise_histogram import (
    Bins,
    count_levels,
    histogram,
    noise_of,
    places_of_levels,
)
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS

KS_BINS = Bins(count=256, scale=128, zero=128)
"""256 bins on [-1, 1]."""

BIN_ENDS = np.flatnonzero(np.diff(places_of_levels(KS_BINS), append=KS_BINS.count))
"""Of the 511 levels of 8-bit noise, the last one in each bin."""


def ks(fake: Array, real: Array, clean: Array, *, exact: bool = False) -> float:
    """Return the largest difference between two distribution functions of noise, in [0, 1].

    The noise is ``fake - clean`` and ``real - clean``, all pixels and channels together.

    Args:
        fake: Any shape; uint8, or float in [0, 1].
        real: The same shape.
        clean: The same shape. Pairs of uint8 images are counted as integers, whatever the third is.
        exact: False: of histograms of 256 bins on [-1, 1], as papers on noise generators have it.
            True: over all values that occur, as in the two-sample test.

    Raises:
        DataError: If shapes differ, or images hold NaN (unless ``exact``).
    """
    if fake.dtype == real.dtype == clean.dtype == np.uint8:
        return _ks_of_levels(fake, real, clean, exact)
    if exact:
        from scipy.stats import ks_2samp

        pair = (noise_of(noisy, clean).ravel() for noisy in (fake, real))
        return float(ks_2samp(*pair, method='asymp').statistic)
    shares = [histogram(noisy, clean, KS_BINS) for noisy in (fake, real)]
    return float(np.abs(np.cumsum(shares[0] - shares[1])).max())


def _ks_of_levels(fake: Array, real: Array, clean: Array, exact: bool) -> float:
    """Return the distance of 8-bit noise from integer counts alone."""
    import cv2

    excess = count_levels(fake, clean) - count_levels(real, clean)
    gaps = excess.cumsum(dtype=np.int32)
    return cv2.norm(gaps if exact else gaps[BIN_ENDS], cv2.NORM_INF) / clean.size


@METRICS.register_module()
class KS(GeneratedNoiseMetric):
    """Kolmogorov-Smirnov distance of generated from real noise per image; lower is better.

    :func:`ks` of ``pred`` (or ``draws``) and ``gt``, both against the clean ``input``; the result
    is the mean over images. Noise of 8-bit photographs has values in steps: against generated noise
    that has none, the distance does not fall below some 0.007.

    Args:
        exact: See :func:`ks`. False is the protocol of the papers.
        num_samples: See
            :class:`~noiseedit.evaluation.metrics.generated_noise.GeneratedNoiseMetric`.
        quantize_fake: Likewise. False is the protocol of the papers.
    """

    def __init__(
        self, exact: bool = False, num_samples: int = 1, quantize_fake: bool = False
    ) -> None:
        super().__init__(num_samples, quantize_fake, 'exact' if exact else 'bins=256')
        self.exact = exact

    def distance(self, fakes: Tensor, real: Tensor, clean: Tensor) -> float:
        """Return the mean of :func:`ks` over the generated images."""
        true, base = as_steps(real.cpu()), as_steps(clean.cpu())
        values = [ks(as_steps(fake), true, base, exact=self.exact) for fake in fakes.cpu()]
        return math.fsum(values) / len(values)

"""Kullback-Leibler divergence between histograms of real and of generated noise."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.evaluation.metrics.generated_noise import GeneratedNoiseMetric, as_steps
from noiseedit.evaluation.metrics.ks import KS_BINS
from noiseedit.evaluation.metrics.noise_histogram import Bins, histogram
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS

Variant = Literal['naflow', 'neca']
VARIANTS: dict[str, tuple[Bins, bool]] = {
    'naflow': (KS_BINS, False),
    'neca': (Bins(count=64, scale=320, zero=32, open_ended=True), True),
}
"""Bins, and whether generated images are rounded to 8 bits."""


def kld(fake: Array, real: Array, clean: Array, bins: Bins = KS_BINS) -> float:
    """Return KL(real || fake) of noise histograms, in nats, over bins where neither is empty.

    Leaving out empty bins, as both papers' code does, makes it no divergence: histograms without a
    common bin have 0, and it may be negative.

    Args:
        fake: Any shape; uint8, or float in [0, 1].
        real: The same shape.
        clean: The same shape.
        bins: Of the noise's values.

    Raises:
        DataError: If shapes differ or images hold NaN.
    """
    p, q = (histogram(noisy, clean, bins) for noisy in (real, fake))
    common = (p > 0) & (q > 0)
    return float(np.sum(p[common] * np.log(p[common] / q[common])))


@METRICS.register_module()
class KLD(GeneratedNoiseMetric):
    """KL divergence of noise histograms per image, by the rules of two papers; lower is better.

    The result is the mean of :func:`kld` over images. Values of the variants do not compare.

    Args:
        variant: ``'naflow'`` (ICLR 2024): 256 bins on [-1, 1]. ``'neca'`` (CVPR 2023): 64 bins on
            [-0.1, 0.1] and an open one at each end, generated images rounded to 8 bits.
        num_samples: See
            :class:`~noiseedit.evaluation.metrics.generated_noise.GeneratedNoiseMetric`.

    Raises:
        ConfigError: If there is no such variant.
    """

    def __init__(self, variant: Variant = 'naflow', num_samples: int = 1) -> None:
        if variant not in VARIANTS:
            raise ConfigError(
                f'KLD variant: expected one of {", ".join(get_args(Variant))}, got {variant!r}'
            )
        self.bins, quantize_fake = VARIANTS[variant]
        super().__init__(num_samples, quantize_fake, variant)

    def distance(self, fakes: Tensor, real: Tensor, clean: Tensor) -> float:
        """Return the mean of :func:`kld` over the generated images."""
        true, base = as_steps(real.cpu()), as_steps(clean.cpu())
        values = [kld(as_steps(fake), true, base, self.bins) for fake in fakes.cpu()]
        return math.fsum(values) / len(values)

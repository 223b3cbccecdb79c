"""Average Kullback-Leibler divergence between generated and real noise (DANet, ECCV 2020)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from noiseedit.errors import DataError
from noiseedit.evaluation.metrics.generated_noise import GeneratedNoiseMetric
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS

KERNEL = (0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125)
"""Weights of the window along one axis: the fixed table of OpenCV for 7 taps, no Gaussian."""

WINDOW = np.array(KERNEL)
MIN_VARIANCE = 1e-10
MIN_RATIO, MAX_RATIO = 0.1, 10.0
HALF = len(KERNEL) // 2
FACTORS = 16
"""Ratios of [0.1, 10] multiplied before one logarithm is taken: stays within float32."""


def akld(fakes: Tensor, real: Tensor, clean: Tensor) -> float:
    """Return the average KL divergence of local noise laws, over pixels, channels and samples.

    ``mean((r - 1 - ln r) / 2)``, the divergence KL(N(0, v_fake) || N(0, v_real)), with
    ``r = v_fake / v_real`` clamped to [0.1, 10]. The v are local second moments about zero: squared
    noise under a 7x7 window, reflected at borders, at least 1e-10. A colour cast of the generated
    noise counts as variance. Zero for identical images; at most 3.3487 (far too much noise) and
    0.7013 (far too little). Two independent draws of one noise give some 0.043, not 0: the window
    holds 25 values' worth of it.

    Args:
        fakes: (K, C, H, W) or (C, H, W) float, nominally in [0, 1].
        real: (C, H, W), likewise.
        clean: (C, H, W), likewise.

    Returns:
        The mean over the K samples. On CPU in float32 with sums in float64, or all in float64;
        within 1e-7 of the dense 7x7 form. On a GPU in the type of the images. NaN if any image
        holds NaN.

    Raises:
        DataError: If shapes differ or a side has less than 4 pixels.
    """
    fakes = fakes if fakes.ndim == 4 else fakes[None]
    if fakes.ndim != 4 or not fakes.shape[1:] == real.shape == clean.shape:
        raise DataError(
            'AKLD: expected (K, C, H, W) and two (C, H, W) of one size, got '
            f'{tuple(fakes.shape)}, {tuple(real.shape)}, {tuple(clean.shape)}'
        )
    if min(clean.shape[1:]) <= HALF:
        raise DataError(
            f'AKLD: expected sides of at least {HALF + 1} pixels, got {tuple(clean.shape)}'
        )
    if clean.device.type != 'cpu':
        return _akld_on_device(fakes, real, clean)
    true, base = (image.contiguous().numpy() for image in (real, clean))
    drawn = fakes.contiguous().numpy()
    total = sum(_sum_of_channel(drawn[:, c], true[c], base[c]) for c in range(len(base)))
    return max(total / drawn.size, 0.0)


def _sum_of_channel(fakes: Array, real: Array, clean: Array) -> float:
    """Return the sum of ``(r - 1 - ln r) / 2`` over (K, H, W) generated and one real (H, W)."""
    true, drawn = np.empty_like(clean), np.empty_like(clean)
    _second_moments(real, clean, true)
    tiny = not true.min() >= MIN_VARIANCE / MIN_RATIO  # else the clamped ratio takes care of it
    if tiny:
        np.maximum(true, MIN_VARIANCE, out=true)
    total = 0.0
    for fake in fakes:
        _second_moments(fake, clean, drawn)
        if tiny:
            np.maximum(drawn, MIN_VARIANCE, out=drawn)
        total += _sum_of_divergences(drawn, true)
    return total


def _second_moments(noisy: Array, clean: Array, out: Array) -> None:
    """Put the smoothed squared noise of (H, W) images into ``out``."""
    import cv2

    cv2.subtract(noisy, clean, out)
    cv2.multiply(out, out, out)
    cv2.sepFilter2D(out, -1, WINDOW, WINDOW, out, borderType=cv2.BORDER_REFLECT_101)


def _sum_of_divergences(fake: Array, real: Array) -> float:
    """Return the sum of ``(r - 1 - ln r) / 2`` over two fields of variances; uses up ``fake``."""
    import cv2

    ratio = np.divide(fake, real, out=fake)
    ratio.clip(MIN_RATIO, MAX_RATIO, out=ratio)
    return 0.5 * (cv2.sumElems(ratio)[0] - ratio.size - _sum_of_logs(ratio.ravel()))


def _sum_of_logs(ratios: Array) -> float:
    """Return the sum of natural logarithms: one logarithm for the product of 16 values."""
    whole = ratios.size // FACTORS * FACTORS
    products = np.multiply.reduce(ratios[:whole].reshape(FACTORS, -1), axis=0)
    parts = (np.log(part).sum(dtype=np.float64) for part in (products, ratios[whole:]))
    return float(sum(parts))


def _akld_on_device(fakes: Tensor, real: Tensor, clean: Tensor) -> float:
    """Do the same with torch, all samples at once."""
    variances = [_smooth((noisy - clean).square()) for noisy in (fakes, real[None])]
    fake, true = (variance.clamp_(min=MIN_VARIANCE) for variance in variances)
    ratio = (fake / true).clamp_(MIN_RATIO, MAX_RATIO)
    return float(0.5 * (ratio - 1 - ratio.log()).mean(dtype=torch.float64))


def _smooth(field: Tensor) -> Tensor:
    """Return (N, C, H, W) under the window: columns, then rows."""
    channels, kernel = field.shape[1], field.new_tensor(KERNEL)
    field = functional.pad(field, [HALF] * 4, mode='reflect')
    for shape in ((-1, 1), (1, -1)):
        weight = kernel.reshape(1, 1, *shape).repeat(channels, 1, 1, 1)
        field = functional.conv2d(field, weight, groups=channels)
    return field


@METRICS.register_module()
class AKLD(GeneratedNoiseMetric):
    """Average KL divergence of generated from real noise per image; lower is better.

    :func:`akld` of ``pred`` (or ``draws``) and ``gt``, both against the clean ``input``; the result
    is the mean over images. Values are to be read beside those of a second real draw, which is the
    floor: some 0.043 for noise that neither clips nor rounds.

    Args:
        num_samples: See
            :class:`~noiseedit.evaluation.metrics.generated_noise.GeneratedNoiseMetric`. 1 is the
            protocol of NoiseTransfer and NAFlow, 50 that of DANet.
        quantize_fake: Likewise. False is the protocol of all three.
    """

    def __init__(self, num_samples: int = 1, quantize_fake: bool = False) -> None:
        super().__init__(num_samples, quantize_fake)

    def distance(self, fakes: Tensor, real: Tensor, clean: Tensor) -> float:
        """Return :func:`akld`."""
        return akld(fakes, real, clean)

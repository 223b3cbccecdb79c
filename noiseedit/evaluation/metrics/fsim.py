"""Feature similarity (Zhang, Zhang, Mou, Zhang, FSIM, IEEE TIP 20(8), 2011)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import PairMetric
from noiseedit.evaluation.phase_congruency import (
    SHORTEST_WAVE,
    Planes,
    Precision,
    as_array,
    phase_congruency,
)
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS

T_PHASE, T_GRADIENT, T_COLOUR = 0.85, 160.0, 200.0
COLOUR_POWER = 0.03
YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
BASE_SIDE = 256


class Features(NamedTuple):
    """What FSIM compares of an image, each (N, h, w) after downsampling."""

    phase: Tensor
    gradient: Tensor
    colour: tuple[Tensor, Tensor] | None


def fsim(
    pred: Tensor,
    target: Tensor,
    peak: float = 255.0,
    *,
    chromatic: bool = False,
    precision: Precision = 'float32',
) -> Tensor:
    """Return FSIM, or FSIMc, of every image of a batch.

    ``sum(S_PC S_G PCm) / sum(PCm)`` with ``S_PC = (2 PC1 PC2 + 0.85) / (PC1^2 + PC2^2 + 0.85)``,
    ``S_G`` likewise of Scharr gradients with 160, ``PCm = max(PC1, PC2)``; FSIMc times
    ``Re((S_I S_Q)^0.03)`` of YIQ. Constants, grids and borders are those of the authors' MATLAB
    code; symmetric. Deviation: where all is flat, and the code divides 0 by 0, phase congruency
    is 0, and of two flat images all pixels count the same.

    Args:
        pred: (N, C, H, W) of any real type; C 1 (grey) or 3 (RGB), sides of at least 6.
        target: The same shape.
        peak: Width of the value range; the constants are for 255.
        chromatic: FSIMc: compare colours too (of grey images it equals FSIM).
        precision: Of the arithmetic; ``'float32'`` is twice as fast as ``'float64'``, within 1e-6.

    Returns:
        (N,) float64 on the device of ``target``.

    Raises:
        DataError: On other shapes.
    """
    if pred.shape != target.shape:
        raise DataError(
            f'FSIM: expected two batches of one shape, got {tuple(pred.shape)} and '
            f'{tuple(target.shape)}'
        )
    options: dict[str, Any] = {'chromatic': chromatic, 'precision': precision}
    return compare_features(features(pred, peak, **options), features(target, peak, **options))


@torch.no_grad()
def features(
    images: Tensor,
    peak: float = 255.0,
    *,
    chromatic: bool = False,
    precision: Precision = 'float32',
) -> Features:
    """Return what FSIM compares; to be kept where one target meets many predictions.

    Args:
        images: See :func:`fsim`; likewise the rest.
        peak: Likewise.
        chromatic: Likewise.
        precision: Likewise.
    """
    _check(images)
    scaled = images.detach().to(getattr(torch, precision)) * (255.0 / peak)
    planes = [_reduce(plane) for plane in _planes(scaled, chromatic)]
    colour = (planes[1], planes[2]) if planes[1:] else None
    return Features(phase_congruency(planes[0], precision), _gradient(planes[0]), colour)


@torch.no_grad()
def compare_features(first: Features, second: Features) -> Tensor:
    """Return FSIM, or FSIMc if the features hold colour, (N,) float64; see :func:`fsim`."""
    phases = as_array(first.phase), as_array(second.phase)
    weight = phases[0].clip(min=phases[1])
    weight[weight.sum((1, 2)) == 0] = 1.0
    local = _similarity(*phases, T_PHASE)
    local *= _similarity(as_array(first.gradient), as_array(second.gradient), T_GRADIENT)
    if first.colour is not None and second.colour is not None:
        pairs = zip(map(as_array, first.colour), map(as_array, second.colour), strict=True)
        local *= _real_power(math.prod(_similarity(a, b, T_COLOUR) for a, b in pairs))
    local *= weight
    return _total(local) / _total(weight)


def _check(images: Tensor) -> None:
    shape = tuple(images.shape)
    if len(shape) != 4 or shape[1] not in (1, 3) or images.is_complex():
        raise DataError(f'FSIM: expected (N, 1 or 3, H, W), got {shape} of {images.dtype}')
    if min(shape[2:]) < SHORTEST_WAVE:
        raise DataError(
            f'FSIM: expected images of at least {SHORTEST_WAVE}x{SHORTEST_WAVE} pixels, one period '
            f'of the finest filter, got {shape[2]}x{shape[3]}'
        )


# Planes.


def _planes(images: Tensor, chromatic: bool) -> list[Tensor]:
    """Return Y, and I and Q of colour images if asked for, each (N, H, W)."""
    if images.shape[1] == 1:
        return [images[:, 0]]
    return [
        images[:, 0] * red + images[:, 1] * green + images[:, 2] * blue
        for red, green, blue in YIQ[: 3 if chromatic else 1]
    ]


def _reduce(plane: Tensor) -> Tensor:
    """Return the mean of F x F pixels around every F-th, zeros beyond the border.

    F = max(1, shorter side / 256), rounded half up. Even windows reach further down and right, as
    with MATLAB's ``conv2(..., 'same')``.
    """
    factor = max(1, math.floor(min(plane.shape[1:]) / BASE_SIDE + 0.5))
    if factor == 1:
        return plane
    before, after = (factor - 1) // 2, factor // 2
    return F.avg_pool2d(F.pad(plane, (before, after, before, after)), factor)


def _gradient(plane: Tensor) -> Tensor:
    """Return the length of the Scharr gradient, zeros beyond the border."""
    padded = as_array(F.pad(plane, (1, 1, 1, 1)))
    across = padded[:, :, 2:] - padded[:, :, :-2]
    down = padded[:, 2:] - padded[:, :-2]
    x = (across[:, :-2] + across[:, 2:]) * 3 + across[:, 1:-1] * 10
    y = (down[:, :, :-2] + down[:, :, 2:]) * 3 + down[:, :, 1:-1] * 10
    length: Tensor = torch.as_tensor((x * x + y * y) ** 0.5) / 16
    return length


# Comparison.


def _similarity(a: Planes, b: Planes, constant: float) -> Planes:
    """Return ``(2 a b + constant) / (a^2 + b^2 + constant)``."""
    above, below = a * b, a * a
    above *= 2
    above += constant
    below += b * b
    below += constant
    above /= below
    return above


def _real_power(base: Planes) -> Planes:
    """Return ``Re(base^0.03)``: below 0 the principal root turns by 0.03 pi."""
    power = abs(base) ** COLOUR_POWER
    return power - power * (base < 0) * (1 - math.cos(math.pi * COLOUR_POWER))


def _total(planes: Planes) -> Tensor:
    return torch.as_tensor(planes).sum((1, 2), dtype=torch.float64)


@METRICS.register_module()
class FSIM(PairMetric):
    """FSIM per image, under a protocol; the result is the mean over images.

    Args:
        profile: See :class:`~noiseedit.evaluation.metrics.base.PairMetric`.
        chromatic: FSIMc, which also compares colours; the name is then ``FSIMc(...)``.
        precision: ``'float32'`` (within 1e-6) or ``'float64'`` (exact, half as fast).
        device: Where to compute.
        **changes: Other arguments of ``PairMetric``.

    Raises:
        ConfigError: On another precision.
    """

    def __init__(
        self,
        profile: str = 'uint8',
        *,
        chromatic: bool = False,
        precision: Precision = 'float32',
        device: str = 'cpu',
        **changes: Any,
    ) -> None:
        super().__init__(profile, **changes)
        if precision not in ('float64', 'float32'):
            raise ConfigError(f"precision: expected 'float64' or 'float32', got {precision!r}")
        self.device = torch.device(device)
        self.options: dict[str, Any] = {'chromatic': chromatic, 'precision': precision}
        self.name = f'{"FSIMc" if chromatic else "FSIM"}({self.protocol})'

    def describe(self, target: Array) -> Features:
        """Return :func:`features` of an (H, W, C) array."""
        tensor = torch.from_numpy(np.ascontiguousarray(target)).to(self.device)
        return features(tensor.permute(2, 0, 1)[None], self.protocol.peak, **self.options)

    def compare(self, pred: Array, target: Features) -> float:
        """Return :func:`fsim`."""
        return float(compare_features(self.describe(pred), target))

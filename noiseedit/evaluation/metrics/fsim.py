"""Feature similarity (Zhang, Zhang, Mou, Zhang, FSIM, IEEE TIP 20(8), 2011)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import PairMetric
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS

Precision = Literal['float64', 'float32']
Planes: TypeAlias = Any
"""An array of NumPy or torch: what works on planes uses only what both understand."""

SCALES, ORIENTATIONS = 4, 4
SHORTEST_WAVE, WAVE_FACTOR = 6, 2  # pixels per period
SIGMA_ON_F = 0.55  # width of a radial filter over its centre frequency
SIGMA_THETA = math.pi / ORIENTATIONS / 1.2
CUTOFF, ORDER = 0.45, 15  # of the Butterworth low-pass, cycles per pixel
NOISE_SIGMAS, NOISE_SHRINK = 2.0, 1.7
EPSILON = 1e-4
T_PHASE, T_GRADIENT, T_COLOUR = 0.85, 160.0, 200.0
COLOUR_POWER = 0.03
YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
BASE_SIDE = 256


class Features(NamedTuple):
    """What FSIM compares of an image, each (N, h, w) after downsampling."""

    phase: Tensor
    gradient: Tensor
    colour: tuple[Tensor, Tensor] | None


class Bank(NamedTuple):
    """Filters of one image size.

    ``filters``: (orientations, scales, h, w), zero frequency at the corner. ``noise``: per
    orientation, threshold over the root of the median squared amplitude.
    """

    filters: Tensor
    noise: tuple[float, ...]


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
    ``Re((S_I S_Q)^0.03)`` of YIQ. Equal to the authors' MATLAB code, borders included; symmetric.
    Deviation: where all is flat, and the code divides 0 by 0, phase congruency is 0, and of two
    flat images all pixels count the same.

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
    height, width = planes[0].shape[1:]
    bank = filter_bank(height, width, precision, str(images.device))
    phase = torch.cat([_phase_congruency(some, bank) for some in _chunks(planes[0])])
    return Features(phase, _gradient(planes[0]), (planes[1], planes[2]) if planes[1:] else None)


@torch.no_grad()
def compare_features(first: Features, second: Features) -> Tensor:
    """Return FSIM, or FSIMc if the features hold colour, (N,) float64; see :func:`fsim`."""
    phases = _array(first.phase), _array(second.phase)
    weight = phases[0].clip(min=phases[1])
    weight[weight.sum((1, 2)) == 0] = 1.0
    local = _similarity(*phases, T_PHASE)
    local *= _similarity(_array(first.gradient), _array(second.gradient), T_GRADIENT)
    if first.colour is not None and second.colour is not None:
        pairs = zip(map(_array, first.colour), map(_array, second.colour), strict=True)
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
    padded = _array(F.pad(plane, (1, 1, 1, 1)))
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


# Phase congruency.


def _chunks(plane: Tensor) -> tuple[Tensor, ...]:
    """Return single images on a processor, whose cache holds no more; elsewhere the batch."""
    return plane.split(1 if plane.device.type == 'cpu' else len(plane))


def _phase_congruency(plane: Tensor, bank: Bank) -> Tensor:
    """Return phase congruency, (N, h, w), of a plane in 0..255.

    The mean goes out first: no filter lets it pass, and float32 is finer without.
    """
    centred = plane - plane.mean((1, 2), keepdim=True)
    spectrum = _array(torch.fft.fft2(centred, norm='forward')[:, None])
    energy: Planes = 0.0
    amplitude: Planes = 0.0
    for filters, noise in zip(bank.filters, bank.noise, strict=True):
        filtered = torch.as_tensor(spectrum * _array(filters))
        found, amplitudes = _energy(_array(torch.fft.ifft2(filtered, norm='forward')))
        found -= noise * _root_median_square(amplitudes[:, 0])
        energy = energy + found.clip(min=0)
        amplitude = amplitude + amplitudes.sum(1)
    return torch.as_tensor(energy / (amplitude + (amplitude == 0)))


def _array(values: Tensor) -> Planes:
    """Return the NumPy view of a tensor in main memory: its complex loops are vectorised."""
    return values.numpy() if values.device.type == 'cpu' else values


def _energy(responses: Planes) -> tuple[Planes, Planes]:
    """Return the energy (N, h, w) and the amplitudes (N, scales, h, w) of one orientation.

    With the sum ``Z`` of the responses ``z``, the mean phase is ``Z / |Z|``, and the energy
    ``sum_s(Re(z_s conj Z) - |Im(z_s conj Z)|) / |Z|``, where the real parts add up to ``|Z|^2``.
    """
    amplitudes = abs(responses)
    total = responses.sum(1)
    responses *= total.conj()[:, None]
    length = abs(total)
    energy = length * length - abs(responses.imag).sum(1)
    energy /= length + EPSILON
    return energy, amplitudes


def _root_median_square(amplitude: Planes) -> Planes:
    """Return the root of the median of ``amplitude^2``, (N, 1, 1); the middle two are averaged."""
    flat = amplitude.reshape(len(amplitude), -1)
    middle = flat.shape[1] // 2
    if isinstance(flat, np.ndarray):
        flat = np.partition(flat, middle, axis=1)  # one pivot: vectorised, unlike two
        below = flat[:, :middle].max(1)
    else:
        flat = flat.sort(1).values
        below = flat[:, middle - 1]
    above = flat[:, middle]
    square = above**2 if flat.shape[1] % 2 else (below**2 + above**2) / 2
    return (square**0.5)[:, None, None]


@lru_cache(maxsize=4)
def filter_bank(height: int, width: int, precision: Precision, device: str) -> Bank:
    """Return the filters of one image size, computed in float64 and kept for the next image.

    Radially Gaussian over ``log(frequency)``, times a Butterworth low-pass; Gaussian over the
    angle, both directions of an orientation apart.

    Args:
        height: Of the image, pixels.
        width: Likewise.
        precision: Of the images.
        device: Where they are.
    """
    y, x = torch.meshgrid(_axis(height), _axis(width), indexing='ij')
    radius, angle = (x * x + y * y).sqrt(), torch.atan2(-y, x)
    low_pass = 1 / (1 + (radius / CUTOFF) ** (2 * ORDER))
    waves = SHORTEST_WAVE * WAVE_FACTOR ** torch.arange(SCALES).view(-1, 1, 1)
    radial = low_pass * torch.exp(-((radius * waves).log() ** 2) / (2 * math.log(SIGMA_ON_F) ** 2))
    turns = torch.arange(ORIENTATIONS, dtype=torch.float64).view(-1, 1, 1, 1) / ORIENTATIONS
    distance = (angle - math.pi * turns + math.pi) % (2 * math.pi) - math.pi
    filters = radial * torch.exp(-(distance**2) / (2 * SIGMA_THETA**2))
    return Bank(filters.to(device, getattr(torch, precision)), _noise_factors(filters))


def _axis(side: int) -> Tensor:
    """Return the frequencies of an axis, cycles per pixel, 0 first: MATLAB's grid.

    Of odd sides it ends at 1/2, a little off the frequencies of the transform.
    """
    steps = torch.fft.ifftshift(torch.arange(side, dtype=torch.float64) - side // 2)
    return steps / (side - side % 2)


def _noise_factors(filters: Tensor) -> tuple[float, ...]:
    """Return, per orientation, the noise threshold over the root of the median ``|z_1|^2``.

    That median over ln 2 is the mean squared amplitude of noise, which over the energy of filter 1
    gives the noise power p. Noise then has a Rayleigh distributed energy of parameter
    ``tau^2 = p sum_pixels (sum_s g_s)^2`` with the even parts ``g_s`` of the filters in space.
    """
    power = 1 / (math.log(2) * (filters[:, 0] ** 2).sum((1, 2)))
    spatial = torch.fft.ifft2(filters.sum(1), norm='ortho').real
    tau = (power * (spatial**2).sum((1, 2))).sqrt()
    mean, deviation = math.sqrt(math.pi / 2), math.sqrt(2 - math.pi / 2)
    return tuple((tau * ((mean + NOISE_SIGMAS * deviation) / NOISE_SHRINK)).tolist())


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

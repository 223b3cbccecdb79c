"""Phase congruency (Kovesi, Image Features from Phase Congruency, 1999) as FSIM defines it.

Log-Gabor filters of four scales and four orientations, in the frequency domain. On a processor
transforms are torch's and the arithmetic on complex planes NumPy's, whose loops are vectorised;
elsewhere all is torch's, in the same lines.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

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


class Bank(NamedTuple):
    """Filters of one image size.

    ``filters``: (orientations, scales, h, w), zero frequency at the corner. ``noise``: per
    orientation, threshold over the root of the median squared amplitude.
    """

    filters: Tensor
    noise: tuple[float, ...]


def _chunks(plane: Tensor) -> tuple[Tensor, ...]:
    """Return single images on a processor, whose cache holds no more; elsewhere the batch."""
    return plane.split(1 if plane.device.type == 'cpu' else len(plane))


@torch.no_grad()
def phase_congruency(plane: Tensor, precision: Precision) -> Tensor:
    """Return phase congruency in [0, 1]; 0 where nothing is.

    ``sum_o max(energy_o - noise_o, 0) / sum_o sum_s |z_os|`` over orientations and scales.

    Args:
        plane: (N, h, w) of type ``precision``, in 0..255: a constant of the formula is in its unit.
        precision: ``'float32'`` or ``'float64'``.
    """
    height, width = plane.shape[1:]
    bank = filter_bank(height, width, precision, str(plane.device))
    return torch.cat([_congruency(chunk, bank) for chunk in _chunks(plane)])


def _congruency(plane: Tensor, bank: Bank) -> Tensor:
    """Return phase congruency, (N, h, w).

    The mean goes out first: no filter lets it pass, and float32 is finer without.
    """
    centred = plane - plane.mean((1, 2), keepdim=True)
    spectrum = as_array(torch.fft.fft2(centred, norm='forward')[:, None])
    energy: Planes = 0.0
    amplitude: Planes = 0.0
    for filters, noise in zip(bank.filters, bank.noise, strict=True):
        filtered = torch.as_tensor(spectrum * as_array(filters))
        found, amplitudes = _energy(as_array(torch.fft.ifft2(filtered, norm='forward')))
        found -= noise * _root_median_square(amplitudes[:, 0])
        energy = energy + found.clip(min=0)
        amplitude = amplitude + amplitudes.sum(1)
    return torch.as_tensor(energy / (amplitude + (amplitude == 0)))


def as_array(values: Tensor) -> Planes:
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

"""The level of the noise in one noisy image, from the image alone: variance = a x + b, and sigma.

The flattest blocks of a picture show the noise. They are found by the low frequencies of their
cosine transform and measured by the high ones; white noise has the two independent, so choosing
does not bias the measure. After Ponomarenko, Lukin, Zriakhov, Kaarna and Astola, "An automatic
approach to lossy compression of AVIRIS images", IGARSS 2007, and Colom and Buades, "Analysis and
Extension of the Ponomarenko et al. Method", IPOL 2013; the straight line through the points, and
what clipping does to them, after Foi, Trimeche, Katkovnik and Egiazarian, "Practical
Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data", IEEE TIP 2008.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from noiseedit.errors import DataError
from noiseedit.noises.noise_line import fit_line, unclipped

BLOCK = 8
LOW, HIGH = 4, 9  # frequencies u + v: up to LOW a block is judged, from HIGH on it is measured
MOST_BLOCKS = 2**17  # per channel; larger pictures are sampled on a grid
BINS, PER_BIN = 16, 256  # groups of intensity; blocks that a group has at least
SHARE, LEAST = 0.02, 16  # of the blocks of a group: measured, and how many at least
SMALLEST = 24  # edge of the smallest image
NEGLIGIBLE = 0.1  # share of the mean variance below which photon noise is left out of a spec


@dataclass(frozen=True, eq=False)
class NoiseFunction:
    """Noise of images over intensity: ``Var[noisy | clean = x] = a x + b``, all in [0, 1].

    Attributes:
        a: Value of one photon, (N, C), >= 0; ``chi = 1 / a`` photons at white.
        b: Variance of the read noise, (N, C), >= 0; its sigma in 8-bit units is 255 sqrt(b).
        mean: Of the image, (N, C).
        intensity: Points of the curve, (N, C, K), as if nothing had been clipped.
        variance: Of the noise there, likewise; NaN where all was clipped.
    """

    a: Tensor
    b: Tensor
    mean: Tensor
    intensity: Tensor
    variance: Tensor

    @property
    def sigma(self) -> Tensor:
        """Root of the mean variance, ``sqrt(a mean + b)``, (N, C): sigma of white noise."""
        return (self.a * self.mean + self.b).sqrt()

    def __getitem__(self, index: int) -> NoiseFunction:
        """Return that of one image, with N = 1."""
        parts = (self.a, self.b, self.mean, self.intensity, self.variance)
        return NoiseFunction(*(part[index : index + 1] for part in parts))


@torch.no_grad()
def estimate_noise_function(
    noisy: Tensor, *, clipped: bool | None = None, correlated: bool = False, strict: bool = True
) -> NoiseFunction:
    """Return the noise-level function of every image and channel; no gradient.

    1. 8 x 8 blocks, at most 2^17 of a channel, less their means, in the cosine basis; 16 groups of
       equally many by their means.
    2. Of each group the 2 % with the least energy at frequencies ``1 <= u + v <= 4``; their
       variance is the median over the 21 frequencies ``u + v >= 9`` of the mean square.
    3. Where values were clipped to [0, 1]: intensity and variance before it, see
       :func:`~noiseedit.noises.noise_line.unclipped`.
    4. The line, see :func:`~noiseedit.noises.noise_line.fit_line`.

    Noise must be white: noise that neighbours share (demosaicked, smoothed, compressed, resized)
    has little at high frequencies. ``correlated=True`` measures all 63 frequencies instead, of
    blocks whose four neighbours have the least energy. That counts noise as wide as a block, and
    more texture as noise. Rounding to 8 bits adds its own 1 / 12 of a step squared.

    Deviations: b < 0 (a pedestal of the sensor) is not modelled; steps 2 and 3 are simpler than the
    papers' (fixed share of blocks, moments of a clipped normal law).

    Args:
        noisy: (N, C, H, W) in [0, 1], which noise may exceed; float.
        clipped: Whether values were clipped to [0, 1]; ``None``: in channels that nowhere leave it.
        correlated: Whether neighbouring pixels share noise.
        strict: Refuse images with a channel that is black or white alone; if not, its a and b are
            NaN.

    Raises:
        DataError: If images are smaller than 24 x 24, of another shape, not finite, or a channel
            is black or white alone and ``strict``.
    """
    _check(noisy)
    intensity, variance = _points(*_blocks(noisy, correlated))
    was_clipped = (noisy.amin((2, 3)) >= 0) & (noisy.amax((2, 3)) <= 1)
    if clipped is not None:
        was_clipped = torch.full_like(was_clipped, clipped)
    before = unclipped(intensity, variance)
    intensity, variance = (
        torch.where(was_clipped[..., None], fixed, raw)
        for fixed, raw in zip(before, (intensity, variance), strict=True)
    )
    if strict:
        _check_points(variance)
    a, b = fit_line(intensity, variance, variance.nan_to_num(0).amax(-1).sqrt() / BLOCK)
    return NoiseFunction(a, b, noisy.float().mean((2, 3)), intensity, variance)


def estimate_sigma(noisy: Tensor, **options: bool | None) -> Tensor:
    """Return the noise of whole images, channels together, (N,) in [0, 1]; no gradient.

    ``sqrt(mean over channels of (a mean + b))``: of white noise its sigma, else the level of the
    image as a whole. Arguments and errors: :func:`estimate_noise_function`. Unless ``strict``,
    channels that are black or white alone are left out; NaN if all are.
    """
    return estimate_noise_function(noisy, **options).sigma.square().nanmean(1).sqrt()  # type: ignore[arg-type]


def noise_spec(found: NoiseFunction | Sequence[NoiseFunction]) -> dict[str, Any]:
    """Return the noise for a config: medians over images and channels of a and b.

    ``PoissonGaussianNoise``; ``GaussianNoise`` where photons make less than a tenth of the mean
    variance. Noise specs have no levels per channel.

    Args:
        found: Of one image or several.
    """
    parts = [found] if isinstance(found, NoiseFunction) else list(found)
    if not parts:
        raise DataError('noise_spec: expected at least one noise function, got none')
    a, b, mean = (
        float(torch.cat([getattr(part, name).flatten() for part in parts]).median())
        for name in ('a', 'b', 'mean')
    )
    if a * mean <= NEGLIGIBLE * (a * mean + b):
        return {
            'type': 'GaussianNoise',
            'sigma': _short(255 * math.sqrt(a * mean + b)),
            'unit': 255,
        }
    read = _short(255 * math.sqrt(b))
    return {'type': 'PoissonGaussianNoise', 'peak': _short(1 / a), 'sigma': read, 'unit': 255}


# Blocks and groups.


@cache
def _basis() -> tuple[Tensor, Tensor, Tensor]:
    """Return the basis pictures of low, high and all frequencies but 0: (64, 14), 21, 63."""
    place = torch.arange(BLOCK, dtype=torch.float64)
    rows = torch.cos(math.pi / BLOCK * (place + 0.5) * place[:, None]) * math.sqrt(2 / BLOCK)
    rows[0] = math.sqrt(1 / BLOCK)
    pictures = torch.einsum('ui,vj->uvij', rows, rows).reshape(BLOCK**2, BLOCK**2).float()
    order = (place[:, None] + place).flatten()
    low, high = (order >= 1) & (order <= LOW), order >= HIGH
    return pictures[low].T, pictures[high].T, pictures[1:].T


def _blocks(noisy: Tensor, correlated: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return texture (N, C, B), squares of what is measured (N, C, B, F) and means (N, C, B)."""
    step = _step(*noisy.shape[2:])
    windows = noisy.float().unfold(2, BLOCK, step).unfold(3, BLOCK, step)
    grid = windows.shape[2:4]
    flat = windows.reshape(*noisy.shape[:2], -1, BLOCK**2)
    means = flat.mean(-1)
    flat = flat - means[..., None]
    low, high, every = _basis()
    if correlated:
        squares = (flat @ every.to(flat)).square()
        texture = _neighbours(squares.sum(-1).unflatten(-1, grid), BLOCK // step).flatten(-2)
        return texture, squares, means
    return (flat @ low.to(flat)).square().sum(-1), (flat @ high.to(flat)).square(), means


def _step(height: int, width: int) -> int:
    """Return how many pixels apart blocks lie: a divisor of 8 that keeps their number down."""
    step = 1
    while step < BLOCK and (height // step) * (width // step) > MOST_BLOCKS:
        step *= 2
    return step


def _neighbours(energy: Tensor, away: int) -> Tensor:
    """Return the largest energy of the blocks left, right, above and below of each."""
    height, width = energy.shape[-2:]
    around = functional.pad(energy, [away] * 4, value=0)
    rows, columns = slice(away, away + height), slice(away, away + width)
    ahead, after = slice(0, None), slice(2 * away, None)
    sides = [around[..., place, columns][..., :height, :] for place in (ahead, after)] + [
        around[..., rows, place][..., :width] for place in (ahead, after)
    ]
    return torch.stack(sides).amax(0)


def _points(texture: Tensor, squares: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
    """Return intensity and variance of the flattest blocks of each group, (N, C, K) each."""
    bins = max(1, min(BINS, means.shape[-1] // PER_BIN))
    size = means.shape[-1] // bins
    order = means.argsort(dim=-1, stable=True)[..., : bins * size].unflatten(-1, (bins, size))
    grouped = texture.gather(-1, order.flatten(-2)).view_as(order)
    count = min(size, max(LEAST, round(SHARE * size)))
    chosen = order.gather(-1, grouped.topk(count, dim=-1, largest=False).indices)
    place = chosen.flatten(-2)
    measured = squares.gather(2, place[..., None].expand(*place.shape, squares.shape[-1]))
    per_frequency = measured.unflatten(2, (bins, count)).mean(3)
    intensity = means.gather(-1, place).view_as(chosen).mean(-1)
    if squares.shape[-1] == BLOCK**2 - 1:  # a spectrum that is not flat: no median
        return intensity, per_frequency.mean(-1)
    skew = (1 - 2 / (9 * count)) ** 3  # median over mean of a chi-square of ``count`` degrees
    return intensity, per_frequency.median(-1).values / skew


def _check(noisy: Tensor) -> None:
    if noisy.ndim != 4 or not noisy.is_floating_point() or not noisy.numel():
        raise DataError(
            'noise level: expected float images (N, C, H, W) in [0, 1], got '
            f'{tuple(noisy.shape)} {noisy.dtype}'
        )
    if min(noisy.shape[2:]) < SMALLEST:
        raise DataError(
            f'noise level: images of {noisy.shape[2]} x {noisy.shape[3]} are too small to estimate '
            f'noise from; expected at least {SMALLEST} x {SMALLEST}'
        )
    if not bool(noisy.isfinite().all()):
        raise DataError('noise level: expected finite images, got NaN or infinity')


def _check_points(variance: Tensor) -> None:
    lost = ~variance.isfinite().any(-1)
    if bool(lost.any()):
        image, channel = lost.nonzero()[0].tolist()
        raise DataError(
            f'noise level: image {image} of the batch, channel {channel}, is black or white alone: '
            'clipping left no noise to measure'
        )


def _short(value: float) -> float:
    return float(f'{value:.4g}')

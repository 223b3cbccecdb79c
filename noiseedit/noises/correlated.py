"""Additive Gaussian noises whose pixels are correlated: power law, kernel, brown."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from noiseedit.errors import ConfigError
from noiseedit.noises import uint8
from noiseedit.noises.base import AdditiveNoise, Params
from noiseedit.noises.level import Number
from noiseedit.noises.random import Generator, normal, normal_like
from noiseedit.registry import NOISES

Taps: TypeAlias = tuple[float, ...]

_CPU = torch.device('cpu')

# OpenCV's smoothing kernels for automatic width; larger sizes follow its formula.
_BINOMIAL_KERNELS = {
    1: (1.0,),
    3: (0.25, 0.5, 0.25),
    5: (0.0625, 0.25, 0.375, 0.25, 0.0625),
    7: (0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125),
    9: tuple(tap / 256 for tap in (4, 13, 30, 51, 60, 51, 30, 13, 4)),
}


@NOISES.register_module()
class PowerLawNoise(AdditiveNoise):
    """Coloured Gaussian noise with spectrum ``f^-alpha``: white noise times ``g`` in the DFT.

    ``g(f) = max(f, 1 / max(H, W))^(-alpha / 2)``, ``g(0) = 0``, divided by ``sqrt(mean(g^2))``,
    with f in cycles per pixel: every pixel has variance sigma^2 exactly, every field has mean 0.

    Args:
        sigma: See :class:`~noiseedit.noises.base.AdditiveNoise`.
        alpha: Exponent of the power spectrum: 0 white, 1 pink, 2 brown.
        kwargs: ``variance``, ``unit``, ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    shown = ('alpha',)

    def __init__(self, sigma: Number | None = None, *, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(sigma, **kwargs)
        self.alpha = alpha

    def field(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw white noise and filter it."""
        height, width = x.shape[-2:]
        gain = power_law_gain(height, width, self.alpha, x.device)
        spectrum = torch.fft.rfft2(normal_like(x, generator)) * gain
        return torch.fft.irfft2(spectrum, s=(height, width))


@lru_cache(maxsize=16)
def power_law_gain(height: int, width: int, alpha: float, device: torch.device = _CPU) -> Tensor:
    """Return ``g`` of :class:`PowerLawNoise` on the half plane of ``rfft2``, float32.

    The mean of ``g^2`` over the full plane is 1; shape (height, width // 2 + 1).
    """
    rows = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    columns = torch.fft.fftfreq(width, dtype=torch.float64)[None, :]
    gain = (rows**2 + columns**2).sqrt().clamp(min=1 / max(height, width)) ** (-alpha / 2)
    gain[0, 0] = 0
    gain /= gain.square().mean().sqrt()
    return gain[:, : width // 2 + 1].float().to(device)


class FilteredNoise(AdditiveNoise):
    """Base of noises ``K * eps / ||K||``: a separable kernel over white noise, per channel.

    Args:
        sigma: Standard deviation (at least of the inner pixels).
        taps: The 1-D kernel g, of odd length; K is its outer product, ||K|| = sum(g^2).
        kwargs: See :class:`~noiseedit.noises.base.AdditiveNoise`.
    """

    def __init__(self, sigma: Number | None, taps: Taps, **kwargs: Any) -> None:
        super().__init__(sigma, **kwargs)
        norm = math.sqrt(sum(tap**2 for tap in taps))
        self.taps: Taps = tuple(tap / norm for tap in taps)
        self.size = len(taps)

    @property
    def radius(self) -> int:
        """How far the kernel reaches."""
        return self.size // 2


@NOISES.register_module()
class KernelNoise(FilteredNoise):
    """Coloured Gaussian noise: white noise blurred by a Gaussian kernel, divided by its norm.

    ``y = x + sigma * (K * eps) / ||K||``, K of ``size`` taps and width ``width``; circular padding,
    so that every pixel has variance sigma^2.

    Args:
        sigma: See :class:`~noiseedit.noises.base.AdditiveNoise`.
        size: Odd side of the kernel.
        width: Standard deviation of the kernel, in pixels.
        kwargs: ``variance``, ``unit``, ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    shown = ('size', 'width')

    def __init__(
        self, sigma: Number | None = None, *, size: int = 5, width: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(sigma, gaussian_taps(size, width), **kwargs)
        self.width = width

    def field(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw white noise and blur it around the torus."""
        pad = (self.radius,) * 4
        return blur(functional.pad(normal_like(x, generator), pad, mode='circular'), self.taps)


@NOISES.register_module()
class BrownNoise(FilteredNoise):
    """Brown Gaussian noise (NR-GAN): ``y = x + sigma * (K * eps) / ||K||``, eps ~ N(0, 1).

    K is OpenCV's Gaussian kernel of ``size`` with automatic width (5: ``[1, 4, 6, 4, 1] / 16``).

    Args:
        sigma: See :class:`~noiseedit.noises.base.AdditiveNoise`; of the inner pixels for ``zero``.
        size: Odd side of the kernel.
        border: ``'zero'``: blur with zero padding as NR-GAN does, so that the border varies less;
            ``'full'``: draw noise beyond the border, so that every pixel has variance sigma^2.
        kwargs: ``variance``, ``unit``, ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``size`` is not odd or ``border`` is unknown.
    """

    shown: ClassVar[tuple[str, ...]] = ('size', 'border')

    def __init__(
        self,
        sigma: Number | None = None,
        *,
        size: int = 5,
        border: Literal['zero', 'full'] = 'zero',
        **kwargs: Any,
    ) -> None:
        if border not in ('zero', 'full'):
            raise ConfigError(f"border: expected 'zero' or 'full', got {border!r}")
        super().__init__(sigma, opencv_taps(size), **kwargs)
        self.border = border

    def field(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw white noise and blur it."""
        return self._brown(self._white(x, generator))

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Blur in float32, with tabulated normals."""
        sigma, full = 255 * self.drawn(seed)['sigma'], self.border == 'full'
        return uint8.filtered(image, sigma, seed, taps=self.taps, full=full)

    def _white(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw eps with a border of ``radius`` pixels that the blur consumes."""
        *head, height, width = x.shape
        if self.border == 'zero':
            return functional.pad(normal_like(x, generator), (self.radius,) * 4)
        shape = (*head, height + 2 * self.radius, width + 2 * self.radius)
        return normal(shape, generator).to(x.device)

    def _brown(self, white: Tensor) -> Tensor:
        return blur(white, self.taps)

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return sigma^2 times the part of K^2 that lies inside the image, (N, 1, H, W)."""
        return params['sigma'] ** 2 * self._inside(x)

    def _inside(self, x: Tensor) -> Tensor:
        if self.border == 'full':
            return torch.ones(1, 1, 1, 1, device=x.device)
        ones = torch.ones(1, 1, *x.shape[-2:], device=x.device)
        return blur(functional.pad(ones, (self.radius,) * 4), tuple(tap**2 for tap in self.taps))


@NOISES.register_module()
class AdditiveBrownNoise(BrownNoise):
    """White plus brown Gaussian noise (NR-GAN H): ``y = x + sigma * (eps + (K * eps) / ||K||)``.

    Args:
        sigma: See :class:`BrownNoise`.
        shared: Use the same eps in both terms, as NR-GAN's code does (inner std 1.74 sigma for size
            5); otherwise two independent ones (1.41 sigma).
        kwargs: ``size``, ``border`` and those of :class:`~noiseedit.noises.base.AdditiveNoise`.
    """

    shown = ('size', 'border', 'shared')

    def __init__(self, sigma: Number | None = None, *, shared: bool = True, **kwargs: Any) -> None:
        super().__init__(sigma, **kwargs)
        self.shared = shared

    def field(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw both terms."""
        padded = self._white(x, generator)
        r, (height, width) = self.radius, x.shape[-2:]
        inner = padded[..., r : r + height, r : r + width]
        white = inner if self.shared else normal_like(x, generator)
        return self._brown(padded) + white

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return ``sigma^2 * (1 + inside + 2 * covariance)``; covariance 0 unless shared."""
        covariance = self.taps[self.radius] ** 2 if self.shared else 0.0
        return params['sigma'] ** 2 * (1 + self._inside(x) + 2 * covariance)


def gaussian_taps(size: int, width: float) -> Taps:
    """Return ``exp(-t^2 / (2 width^2))`` at ``size`` integers around 0, with sum 1.

    Raises:
        ConfigError: If ``size`` is not odd or ``width`` not positive.
    """
    if size < 1 or size % 2 == 0 or width <= 0:
        raise ConfigError(f'kernel: expected an odd size and a width > 0, got {size} and {width}')
    taps = [math.exp(-((t - size // 2) ** 2) / (2 * width**2)) for t in range(size)]
    return tuple(tap / sum(taps) for tap in taps)


def opencv_taps(size: int) -> Taps:
    """Return OpenCV's 1-D Gaussian kernel of ``size`` with automatic width.

    A fixed table up to 9, above it ``width = 0.3 * ((size - 1) / 2 - 1) + 0.8``.
    """
    if size in _BINOMIAL_KERNELS:
        return _BINOMIAL_KERNELS[size]
    return gaussian_taps(size, 0.3 * ((size - 1) / 2 - 1) + 0.8)


def blur(x: Tensor, taps: Taps) -> Tensor:
    """Filter with a separable symmetric kernel by shifted additions, keeping the valid part.

    Args:
        x: (N, C, H + 2r, W + 2r).
        taps: The 2r + 1 numbers of the 1-D kernel.

    Returns:
        (N, C, H, W).
    """
    for dim in (-1, -2):
        length = x.shape[dim] - len(taps) + 1
        total = x.narrow(dim, 0, length) * taps[0]
        for shift, tap in enumerate(taps[1:], start=1):
            total.add_(x.narrow(dim, shift, length), alpha=tap)
        x = total
    return x

"""Noises that hit every pixel on its own: Gaussian, uniform, Laplace, salt and pepper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises import uint8
from noiseedit.noises.base import AdditiveNoise, BaseNoise, Params, image_mean
from noiseedit.noises.level import Number, Unit, one_level
from noiseedit.noises.random import Generator, normal_like, uniform_like
from noiseedit.registry import NOISES


@NOISES.register_module()
class GaussianNoise(AdditiveNoise):
    """Additive white Gaussian noise: ``y = x + sigma * eps``, eps ~ N(0, 1).

    Args:
        sigma: See :class:`~noiseedit.noises.base.AdditiveNoise`.
        variance: Likewise.
        unit: Likewise.
        mono: Share one field between the channels (grey noise) instead of one per channel.
        numpy_seed: Take eps of every image, (H, W, C), from ``RandomState(numpy_seed).normal``, as
            the tests of ``cszn/KAIR`` do with 0: images of one size then get the same noise,
            whatever the seed; for tests alone. None: from the generator.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``mono`` and ``numpy_seed`` come together.
    """

    shown = ('mono', 'numpy_seed')

    def __init__(
        self,
        sigma: Number | None = None,
        *,
        variance: Number | None = None,
        unit: Unit | None = None,
        mono: bool = False,
        numpy_seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(sigma, variance=variance, unit=unit, **kwargs)
        if mono and numpy_seed is not None:
            raise ConfigError(f'GaussianNoise: numpy_seed={numpy_seed} has no grey noise (mono)')
        self.mono, self.numpy_seed = mono, numpy_seed

    def field(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw eps, (N, C, H, W) or with ``mono`` (N, 1, H, W)."""
        if self.numpy_seed is not None:
            return _numpy_normal(x, self.numpy_seed)
        return normal_like(x, generator, mono=self.mono)

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray | None:
        """Add rounded noise from a table; see :func:`noiseedit.noises.uint8.additive`."""
        if self.numpy_seed is not None:
            return None
        return uint8.additive(image, 255 * self.drawn(seed)['sigma'], seed, mono=self.mono)


def _numpy_normal(x: Tensor, seed: int) -> Tensor:
    """Return one field of NumPy's older generator for every image of ``x``."""
    channels, height, width = x.shape[1:]
    field = np.random.RandomState(seed).normal(size=(height, width, channels))
    one = torch.from_numpy(field.transpose(2, 0, 1)).to(x)
    return one.expand_as(x).contiguous()


@NOISES.register_module()
class UniformNoise(AdditiveNoise):
    """Additive uniform noise: ``y = x + a * u``, u ~ U(-1, 1), ``a = sqrt(3) * sigma``.

    Args:
        sigma: See :class:`~noiseedit.noises.base.AdditiveNoise`.
        variance: Likewise.
        amplitude: ``a`` instead, in ``unit``.
        unit: Likewise.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    def __init__(
        self,
        sigma: Number | None = None,
        *,
        variance: Number | None = None,
        amplitude: Number | None = None,
        unit: Unit | None = None,
        **kwargs: Any,
    ) -> None:
        level = one_level(unit, sigma=sigma, variance=variance, amplitude=amplitude)
        BaseNoise.__init__(self, level, **kwargs)

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw ``{'sigma': (n, 1, 1, 1)}``, also for levels given as amplitude."""
        ((name, value),) = super().sample_params(n, generator).items()
        return {'sigma': value / math.sqrt(3) if name == 'amplitude' else value}

    def field(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw U(-sqrt(3), sqrt(3))."""
        return uniform_like(x, generator).mul_(2).sub_(1).mul_(math.sqrt(3))

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Add rounded noise from a table; see :func:`noiseedit.noises.uint8.additive`."""
        return uint8.additive(image, 255 * self.drawn(seed)['sigma'], seed, law='uniform')


@NOISES.register_module()
class LaplaceNoise(AdditiveNoise):
    """Additive Laplace noise: ``y = x + Laplace(0, b)``, ``b = sigma / sqrt(2)``, by inverse CDF.

    Deviation: float32 uniforms cut the tails at 17 b (probability 6e-8).
    """

    def field(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw Laplace(0, 1 / sqrt(2)): ``-sign(v) * log(1 - |v|) / sqrt(2)``, v ~ U(-1, 1)."""
        v = uniform_like(x, generator).mul_(2).sub_(1)
        tail = v.abs().clamp_(max=1 - 2**-24).neg_().log1p_()
        return v.sign_().mul_(tail).mul_(-math.sqrt(0.5))

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Add rounded noise from a table; see :func:`noiseedit.noises.uint8.additive`."""
        return uint8.additive(image, 255 * self.drawn(seed)['sigma'], seed, law='laplace')


@NOISES.register_module()
class SaltPepperNoise(BaseNoise):
    """Salt and pepper: ``y = 1`` or ``y = 0``, each with probability ``amount / 2``, else ``x``.

    With ``variance`` the amount is chosen so that the mean squared error is v:
    ``amount = v / (1/2 - m1 + m2)`` (v in [0, 1] units, m1 and m2 the moments), at most 1.
    Gradient: exact on the pixels that are kept, zero on the others.

    Args:
        amount: Probability that a pixel is hit, in [0, 1], or a range.
        variance: Mean squared error instead, in squared ``unit``, or a range.
        unit: Of ``variance``.
        per_channel: Hit each channel on its own instead of the whole pixel.
        moments: (mean, mean of squares) of the images, in [0, 1]; ``None``: of each image itself.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If the level or ``moments`` are out of range.
    """

    example: ClassVar[dict[str, Any]] = {'amount': 0.1}
    shown = ('per_channel', 'moments')

    def __init__(
        self,
        amount: Number | None = None,
        *,
        variance: Number | None = None,
        unit: Unit | None = None,
        per_channel: bool = False,
        moments: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(one_level(unit, amount=amount, variance=variance), **kwargs)
        self.per_channel = per_channel
        self.moments = None if moments is None else _checked_moments(moments)

    def amount(self, x: Tensor, params: Params) -> Tensor:
        """Return the probability that a pixel is hit, (N, 1, 1, 1)."""
        if 'amount' in params:
            return params['amount']
        if self.moments is not None:
            error = 0.5 - self.moments[0] + self.moments[1]
        else:
            error = image_mean(0.5 - x + x**2)
        return (params['sigma'] ** 2 / error).clamp(max=1)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Replace pixels: u < amount / 2 gives 0, else u < amount gives 1, u ~ U[0, 1)."""
        amount = self.amount(x, params)
        u = uniform_like(x, generator, mono=not self.per_channel)
        return torch.where(u < amount, (u >= amount / 2).to(x.dtype), x)

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray | None:
        """Set pixels at random positions; not for levels given as variance."""
        amount = self.drawn(seed).get('amount')
        if amount is None:
            return None
        return uint8.salt_pepper(image, amount, seed, per_channel=self.per_channel)

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return ``(1 - amount) * x + amount / 2``."""
        amount = self.amount(x, params)
        return (1 - amount) * x + amount / 2

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return ``(1 - amount) * x^2 + amount / 2 - mean^2``."""
        amount = self.amount(x, params)
        return (1 - amount) * x**2 + amount / 2 - self.mean(x, params) ** 2


def _checked_moments(moments: Sequence[float]) -> tuple[float, float]:
    mean, mean_square = moments
    if not (0 <= mean <= 1 and mean**2 <= mean_square <= mean):
        raise ConfigError(
            'moments: expected (mean, mean of squares) of images in [0, 1], '
            f'with mean^2 <= mean of squares <= mean, got {tuple(moments)}'
        )
    return float(mean), float(mean_square)

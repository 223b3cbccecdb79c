"""Noises whose strength follows the image: multiplicative, Poisson, heteroscedastic."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises import uint8
from noiseedit.noises.base import AdditiveNoise, BaseNoise, Gradient, Params, image_mean
from noiseedit.noises.level import Level, Number, Unit, make_level, one_level
from noiseedit.noises.random import Generator, normal_like, poisson
from noiseedit.registry import NOISES


@NOISES.register_module(name=['MultiplicativeNoise', 'SpeckleNoise'])
class MultiplicativeNoise(AdditiveNoise):
    """Multiplicative Gaussian noise (speckle): ``y = x + sigma * x * eps``, eps ~ N(0, 1).

    ``sigma`` is the standard deviation at white (x = 1), in ``unit``.
    """

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return ``x + sigma * x * eps``."""
        return torch.addcmul(x, params['sigma'] * x, normal_like(x, generator))

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Multiply in float32, with tabulated normals."""
        return uint8.speckle(image, 255 * self.drawn(seed)['sigma'], seed)

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return ``(sigma * x)^2``."""
        return (params['sigma'] * x) ** 2


@NOISES.register_module()
class PoissonNoise(BaseNoise):
    """Photon (shot) noise: ``y = Poisson(peak * x) / peak``, counts straight-through.

    With ``variance`` the peak is chosen per image so that the mean variance is v:
    ``peak = mean(x) / v`` (v in [0, 1] units). Negative values of ``x`` count as 0.

    Args:
        peak: Mean count at white (x = 1), > 0, or a range.
        variance: Mean variance instead, in squared ``unit``, or a range; 0 is the identity.
        unit: Of ``variance``.
        image_mean: mean(x) of the data, in (0, 1]; ``None``: of each image itself.
        approx: ``'gauss'``: ``y = x + sqrt(x / peak) * eps`` with pathwise gradient.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If the level, ``image_mean`` or ``approx`` is out of range.
    """

    gradient: Gradient = 'ste'
    example: ClassVar[dict[str, Any]] = {'peak': 30}
    shown: ClassVar[tuple[str, ...]] = ('image_mean', 'approx')

    def __init__(
        self,
        peak: Number | None = None,
        *,
        variance: Number | None = None,
        unit: Unit | None = None,
        image_mean: float | None = None,
        approx: Literal['gauss'] | None = None,
        **kwargs: Any,
    ) -> None:
        if approx not in (None, 'gauss'):
            raise ConfigError(f"approx: expected None or 'gauss', got {approx!r}")
        if image_mean is not None and not 0 < image_mean <= 1:
            raise ConfigError(f'image_mean: expected a number in (0, 1], got {image_mean!r}')
        if approx == 'gauss':
            self.gradient = 'path'
        super().__init__(one_level(unit, peak=peak, variance=variance), **kwargs)
        self.image_mean = image_mean
        self.approx = approx

    def gain(self, x: Tensor, params: Params) -> Tensor:
        """Return the value of one count, ``1 / peak``, (N, 1, 1, 1)."""
        if 'peak' in params:
            return 1 / params['peak']
        mean = self.image_mean or image_mean(x).clamp(min=1e-6)
        return params['sigma'] ** 2 / mean

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return scaled counts, or their Gaussian approximation."""
        gain = self.gain(x, params)
        if self.approx == 'gauss':
            return torch.addcmul(x, _sqrt(gain * x), normal_like(x, generator))
        counts = poisson(x.clamp(min=0) / gain.clamp(min=1e-9), generator).to(x.device)
        return torch.where(gain > 0, counts * gain, x)

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray | None:
        """Look counts up, or draw them one by one if making the table costs more; peaks only."""
        peak = self.drawn(seed).get('peak')
        if peak is None or self.approx == 'gauss':
            return None
        varies = self.level is not None and not self.level.is_fixed
        exact = varies and image.size < uint8.POISSON_TABLE_PAYS
        return uint8.poisson(image, peak, seed, exact=exact)

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return ``max(x, 0)`` for counts, ``x`` for the approximation."""
        return x if self.approx else x.clamp(min=0)

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return ``max(x, 0) / peak``."""
        return x.clamp(min=0) * self.gain(x, params)


@NOISES.register_module()
class PoissonGaussianNoise(PoissonNoise):
    """Photon plus read noise: ``y = Poisson(peak * x) / peak + sigma * eps``, eps ~ N(0, 1).

    With ``variance`` both parts together have mean variance v: the counts ``share * v``, the read
    noise ``(1 - share) * v``.

    Args:
        peak: See :class:`PoissonNoise`; its level is the level of this noise.
        sigma: Standard deviation of the read noise, in ``unit``, or a range; goes with ``peak``.
        variance: Instead of ``peak`` and ``sigma``, in squared ``unit``, or a range.
        unit: Of ``sigma`` or ``variance``; must be given.
        share: Part of ``variance`` that the counts have, in [0, 1].
        kwargs: ``image_mean``, ``approx``, ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If a level or ``share`` is out of range, or ``sigma`` is missing.
    """

    example: ClassVar[dict[str, Any]] = {'peak': 30, 'sigma': 10, 'unit': 255}

    def __init__(
        self,
        peak: Number | None = None,
        sigma: Number | None = None,
        *,
        variance: Number | None = None,
        unit: Unit | None = None,
        share: float = 0.5,
        **kwargs: Any,
    ) -> None:
        if (variance is None) != (sigma is not None):
            raise ConfigError('expected peak and sigma, or variance alone')
        if not 0 <= share <= 1:
            raise ConfigError(f'share: expected a number in [0, 1], got {share!r}')
        unit_of_level = None if variance is None else unit
        super().__init__(peak, variance=variance, unit=unit_of_level, **kwargs)
        self.read: Level | None = None if sigma is None else make_level('sigma', sigma, unit)
        self.share = share

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw peak (or the counts' ``sigma``) and ``read``, the read noise's sigma."""
        params = super().sample_params(n, generator)
        if self.read is not None:
            return {**params, 'read': self.read.sample(n, generator)}
        sigma = params['sigma']
        return {'sigma': self.share**0.5 * sigma, 'read': (1 - self.share) ** 0.5 * sigma}

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return scaled counts plus read noise."""
        counts = super().apply(x, params, generator)
        return torch.addcmul(counts, params['read'], normal_like(x, generator))

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return ``max(x, 0) / peak + read^2``."""
        return super().variance(x, params) + params['read'] ** 2

    def strength(self) -> list[str]:
        """Return the texts of both levels."""
        read = [] if self.read is None else [f'read noise {self.read}']
        return [*super().strength(), *read]


@NOISES.register_module()
class HeteroscedasticNoise(BaseNoise):
    """Sensor noise: ``y = x + sqrt(sigma_signal^2 * x + sigma_read^2) * eps``, eps ~ N(0, 1).

    Both numbers are standard deviations in ``unit``: ``sigma_signal`` of the signal-dependent part
    at white (x = 1), ``sigma_read`` of the constant part. Negative values of ``x`` count as 0.

    Args:
        sigma_signal: See above, or a range; the level of this noise.
        sigma_read: See above, or a range.
        unit: 255, '[0,1]' or '[-1,1]'; must be given.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    example: ClassVar[dict[str, Any]] = {'sigma_signal': 40, 'sigma_read': 10, 'unit': 255}

    def __init__(
        self,
        sigma_signal: Number,
        sigma_read: Number,
        *,
        unit: Unit | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(make_level('sigma_signal', sigma_signal, unit), **kwargs)
        self.read = make_level('sigma_read', sigma_read, unit)

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw ``sigma_signal`` and ``sigma_read``."""
        signal = super().sample_params(n, generator)
        return {**signal, 'sigma_read': self.read.sample(n, generator)}

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return the noisy images."""
        return torch.addcmul(x, _sqrt(self.variance(x, params)), normal_like(x, generator))

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return ``sigma_signal^2 * max(x, 0) + sigma_read^2``."""
        return params['sigma_signal'] ** 2 * x.clamp(min=0) + params['sigma_read'] ** 2

    def strength(self) -> list[str]:
        """Return the texts of both levels."""
        return [*super().strength(), str(self.read)]


def _sqrt(variance: Tensor) -> Tensor:
    """Return the square root; 0 with derivative 0 (not infinity) at and below 0."""
    positive = variance > 0
    return torch.where(positive, torch.where(positive, variance, 1).sqrt(), 0)

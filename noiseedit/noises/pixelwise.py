"""Noises that hit every pixel independently of the image content."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from noiseedit.noises.base import AdditiveNoise, Params
from noiseedit.noises.level import Number, Unit
from noiseedit.noises.random import Generator, normal
from noiseedit.registry import NOISES


@NOISES.register_module()
class GaussianNoise(AdditiveNoise):
    """Additive white Gaussian noise: ``y = x + sigma * eps``, eps ~ N(0, 1).

    Args:
        sigma: See :class:`~noiseedit.noises.base.AdditiveNoise`.
        variance: Likewise.
        unit: Likewise.
        mono: Share one field between the channels (grey noise) instead of one per channel.
        kwargs: ``clip``, ``quantize``.
    """

    def __init__(
        self,
        sigma: Number | None = None,
        *,
        variance: Number | None = None,
        unit: Unit | None = None,
        mono: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(sigma, variance=variance, unit=unit, **kwargs)
        self.mono = mono

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return ``x + sigma * eps``."""
        shape = (len(x), 1, *x.shape[2:]) if self.mono else x.shape
        return x + params['sigma'] * normal(shape, generator).to(x.device)

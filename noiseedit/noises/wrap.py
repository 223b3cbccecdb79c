"""Noises that change how another noise acts: at a random level, or at a named severity."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises.base import BaseNoise, Params
from noiseedit.noises.build import NoiseSpec, build
from noiseedit.noises.level import Number, make_level
from noiseedit.noises.random import Generator
from noiseedit.registry import NOISES

_GAUSSIAN = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}


class Wrapper(BaseNoise):
    """Base of noises that change how another noise acts; its level is that noise's level.

    Args:
        noise: Spec of the noise.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``; the default name is
            ``Class(name of the noise)``.
    """

    def __init__(self, noise: NoiseSpec, **kwargs: Any) -> None:
        inner = build(noise)
        self.gradient = inner.gradient
        super().__init__(inner.level, **{'name': f'{type(self).__name__}({inner.name})', **kwargs})
        self.noise = inner

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw the parameters of the noise."""
        return self.noise.sample_params(n, generator)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Apply the noise."""
        return self.noise.corrupt(x, params, generator)

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray | None:
        """Let the noise do it."""
        return self.noise.apply_uint8(image, seed)

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return the mean of the noise."""
        return self.noise.mean(x, params)

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return the variance of the noise."""
        return self.noise.variance(x, params)

    def with_level(self, level: Number) -> BaseNoise:
        """Return a copy whose noise is at another level."""
        clone = copy.deepcopy(self)
        clone.noise = self.noise.with_level(level)
        clone.level = clone.noise.level
        return clone

    def strength(self) -> list[str]:
        """Return the text of the noise."""
        return [repr(self.noise)]


@NOISES.register_module()
class RandomLevel(Wrapper):
    """Any noise at a level drawn per image from (low, high), uniform or log-uniform.

    Args:
        noise: Spec of the noise; the level in it is replaced.
        low: Lower end, in the unit of the spec.
        high: Upper end.
        log: Draw uniformly in the logarithm (``low`` > 0).
        kwargs: See :class:`Wrapper`.
    """

    example: ClassVar[dict[str, Any]] = {'noise': _GAUSSIAN, 'low': 0, 'high': 50}

    def __init__(
        self, noise: NoiseSpec, low: float, high: float, *, log: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(build(noise).with_level({'low': low, 'high': high, 'log': log}), **kwargs)


@NOISES.register_module()
class Severity(Wrapper):
    """Any noise whose level is a severity 0, 1, 2, ... that stands for a number in a table.

    Args:
        noise: Spec of the noise.
        levels: Its levels at severity 1, 2, ..., or whole specs of the noise to use there, where
            more than the level changes; severity 0 is the identity.
        severity: The severity now.
        arguments: Further arguments of the noise at every severity, e.g.
            ``dict(textures='frost_photographs')``; for a noise that is given as a dict.
        kwargs: See :class:`Wrapper`.

    Raises:
        ConfigError: If there is no such severity.
    """

    example: ClassVar[dict[str, Any]] = {'noise': _GAUSSIAN, 'levels': [10, 25, 50], 'severity': 2}
    shown = ('severity',)

    def __init__(
        self,
        noise: NoiseSpec,
        levels: Sequence[Number | dict[str, Any]],
        severity: int = 1,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.arguments = dict(arguments or {})
        super().__init__(self._with_arguments(noise), **kwargs)
        self.levels = list(levels)
        self._set(severity)

    def with_level(self, level: Number) -> BaseNoise:
        """Return a copy at another severity."""
        clone = copy.deepcopy(self)
        clone._set(level)
        return clone

    def _set(self, severity: Number) -> None:
        if severity not in range(len(self.levels) + 1):
            raise ConfigError(
                f'{self.name}: expected a severity in 0..{len(self.levels)}, got {severity!r}'
            )
        self.severity = int(severity)  # type: ignore[arg-type]
        if self.severity:
            self.noise = self._at(self.levels[self.severity - 1])
        self.level = make_level('severity', self.severity)

    def _at(self, level: Number | dict[str, Any]) -> BaseNoise:
        if isinstance(level, dict) and 'type' in level:
            return build(self._with_arguments(level))
        return self.noise.with_level(level)

    def _with_arguments(self, spec: NoiseSpec) -> NoiseSpec:
        return {**spec, **self.arguments} if isinstance(spec, dict) else spec

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Apply the noise; severity 0 returns ``x``."""
        return super().apply(x, params, generator) if self.severity else x

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray | None:
        """Let the noise do it; severity 0 copies."""
        return super().fast_uint8(image, seed) if self.severity else image.copy()

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return the mean of the noise."""
        return super().mean(x, params) if self.severity else x

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return the variance of the noise."""
        return super().variance(x, params) if self.severity else torch.zeros_like(x)

"""Bases of corruptions: what happens to an image beside noise around it."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises.base import BaseNoise, Params
from noiseedit.noises.level import Level, Number
from noiseedit.noises.random import Generator, uniform


class Corruption(BaseNoise):
    """Base of corruptions whose level has bounds and whose moments have no closed form.

    Args:
        level: Strength, or a range that is drawn from once per image.
        kwargs: See :class:`~noiseedit.noises.base.BaseNoise`.

    Attributes:
        bounds: Smallest and largest level.

    Raises:
        ConfigError: If the level is out of bounds.
    """

    level: Level
    bounds: ClassVar[tuple[float, float]] = (0, math.inf)

    def __init__(self, level: Level, **kwargs: object) -> None:
        super().__init__(self._checked(level), **kwargs)  # type: ignore[arg-type]

    def _checked(self, level: Level) -> Level:
        low, high = self.bounds
        if not low <= level.low <= level.high <= high:
            raise ConfigError(f'{level.name}: expected {low:g}..{high:g}, got {level}')
        return level

    def with_level(self, level: Number) -> BaseNoise:
        """Return a copy at another level."""
        self._checked(self.level.at(level))
        return super().with_level(level)

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Refuse: the mean is not ``x`` and has no closed form.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f'{type(self).__name__} has no closed-form mean')


class Filter(Corruption):
    """Base of corruptions in which nothing is random but the level."""

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return the result itself."""
        return self.apply(x, params, torch.Generator())

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return 0, (1, 1, 1, 1)."""
        return x.new_zeros(1, 1, 1, 1)


def per_image(values: Tensor) -> list[float]:
    """Return (n, 1, 1, 1) levels as numbers, rounded to the 6 decimals that float32 holds."""
    return [round(value, 6) for value in values.flatten().tolist()]


def drawn_angles(n: int, degrees: tuple[float, float], generator: Generator) -> Tensor:
    """Draw (n, 1, 1, 1) angles, uniform between the two ends."""
    low, high = degrees
    return low + (high - low) * uniform((n, 1, 1, 1), generator)


def require(condition: bool, name: str, expected: str, got: object) -> None:
    """Check an argument.

    Raises:
        ConfigError: Unless ``condition`` holds.
    """
    if not condition:
        raise ConfigError(f'{name}: expected {expected}, got {got!r}')

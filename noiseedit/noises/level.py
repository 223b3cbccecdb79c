"""The strength of a noise: a number with a unit, or a range to draw from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises.random import Generator, uniform

Unit: TypeAlias = Literal[255, '[0,1]', '[-1,1]']
Number: TypeAlias = float | Sequence[float] | Mapping[str, float]

# Width of the value range in each unit: how much one step of [0,1] is.
UNIT_WIDTH: dict[Unit, float] = {255: 255.0, '[0,1]': 1.0, '[-1,1]': 2.0}

# Levels without unit that are not simply >= 0.
UPPER_BOUND = {'amount': 1.0}
POSITIVE = ('peak',)


@dataclass(frozen=True)
class Level:
    """A noise strength as the user wrote it, and what it means for images in [0, 1].

    Args:
        name: The constructor keyword that carried it: ``'sigma'`` (or ``'sigma_...'``) and
            ``'amplitude'`` scale with the value range, ``'variance'`` with its square; any other
            name (``'amount'``, ``'peak'``, ``'quality'``) has no unit.
        low: The level, or the lower end of the range it is drawn from, in ``unit``.
        high: The upper end; equal to ``low`` for a fixed level.
        unit: 255, '[0,1]' or '[-1,1]'; ``None`` for levels that have none.
        log: Draw from the range uniformly in the logarithm.

    Raises:
        ConfigError: On a negative or non-finite level, a reversed range, a unit that is unknown,
            left out, or given where there is none.
    """

    name: str
    low: float
    high: float
    unit: Unit | None = None
    log: bool = False

    def __post_init__(self) -> None:
        """Check the level; see the class."""
        self._check_number()
        if self.has_unit and self.unit not in UNIT_WIDTH:
            state = 'missing' if self.unit is None else f'{self.unit!r}, which is unknown'
            raise ConfigError(
                f"{self.name}={self._text()}: unit is {state}; say unit=255, unit='[0,1]' or "
                "unit='[-1,1]' (the value range the number is meant in)"
            )
        if not self.has_unit and self.unit is not None:
            raise ConfigError(f'{self.name} has no unit, got unit={self.unit!r}: leave it out')

    def _check_number(self) -> None:
        above = UPPER_BOUND.get(self.name, math.inf)
        finite = math.isfinite(self.low) and math.isfinite(self.high)
        if not (finite and 0 <= self.low <= self.high <= above):
            bound = '' if above == math.inf else f' <= {above:g}'
            raise ConfigError(
                f'{self.name}: expected a finite number >= 0{bound} or a range (low, high) with '
                f'0 <= low <= high{bound}, got {self._text()}'
            )
        if self.low == 0 and (self.log or self.name in POSITIVE):
            why = 'a logarithmic range starts above 0' if self.log else 'expected a number > 0'
            raise ConfigError(f'{self.name}: {why}, got {self._text()}')

    @property
    def has_unit(self) -> bool:
        """Whether the number scales with the value range."""
        return self.name in ('amplitude', 'variance') or self.name.startswith('sigma')

    @property
    def is_fixed(self) -> bool:
        """Whether the level is one number, not a range."""
        return self.low == self.high

    def at(self, value: Number) -> Level:
        """Return this level with another value (or range) in the same unit."""
        low, high, log = _range(value)
        return replace(self, low=low, high=high, log=log)

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw ``n`` levels, uniform over the range as written, and convert them to [0, 1].

        Returns:
            (n, 1, 1, 1) float32: a standard deviation or amplitude for images in [0, 1]
            (``variance`` gives its square root), or the bare number for levels without unit.
        """
        if self.is_fixed:
            return self._canonical(torch.full((n, 1, 1, 1), self.low, device=generator.device))
        u = uniform((n, 1, 1, 1), generator)
        if self.log:
            return self._canonical(self.low * (self.high / self.low) ** u)
        return self._canonical(self.low + (self.high - self.low) * u)

    def _canonical(self, values: Tensor) -> Tensor:
        if self.name == 'variance':
            values = values.sqrt()
        return values / UNIT_WIDTH[self.unit] if self.unit is not None else values

    @property
    def bounds(self) -> tuple[float, float]:
        """The range of :meth:`sample`, as two floats."""
        ends = self._canonical(torch.tensor([self.low, self.high], dtype=torch.float64))
        return float(ends[0]), float(ends[1])

    def _text(self) -> str:
        if self.low == self.high:
            return f'{self.low:g}'
        return f'({self.low:g}, {self.high:g}{", log" if self.log else ""})'

    def __str__(self) -> str:
        """Show the level as written, and as standard deviation in [-1,1] and 8-bit units."""
        if not self.has_unit:
            return f'{self.name}={self._text()}'
        ends = [f'{2 * end:.4g} = {255 * end:.4g}/255' for end in dict.fromkeys(self.bounds)]
        scale = 'amplitude' if self.name == 'amplitude' else 'std'
        return f'{self.name}={self._text()} in {self.unit} ({scale} {" to ".join(ends)})'


def _range(value: Number) -> tuple[float, float, bool]:
    """Return (low, high, logarithmic) of a number, a pair or a ``dict(low, high, log)``."""
    if isinstance(value, (int, float)):
        return float(value), float(value), False
    if isinstance(value, Mapping):
        if not {'low', 'high'} <= set(value) <= {'low', 'high', 'log'}:
            raise ConfigError(f'level: expected dict(low=, high=, log=False), got {dict(value)}')
        return float(value['low']), float(value['high']), bool(value.get('log', False))
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ConfigError(
            f'level: expected a number, (low, high) or dict(low=, high=), got {value!r}'
        )
    low, high = value
    return float(low), float(high), False


def make_level(name: str, value: Number, unit: Unit | None = None) -> Level:
    """Build the level called ``name``; see :class:`Level`.

    Args:
        name: What the number means.
        value: Number, ``(low, high)`` or ``dict(low=, high=, log=False)``.
        unit: See :class:`Level`.

    Raises:
        ConfigError: If ``value`` is something else, or if :class:`Level` refuses it.
    """
    low, high, log = _range(value)
    return Level(name, low, high, unit, log)


def one_level(unit: Unit | None = None, **candidates: Number | None) -> Level:
    """Build the level from the one keyword that was given.

    Args:
        unit: See :class:`Level`.
        candidates: Keyword -> number, range or ``None`` (not given); see :func:`make_level`.

    Raises:
        ConfigError: Unless exactly one keyword was given, or if :class:`Level` refuses it.
    """
    given = {name: value for name, value in candidates.items() if value is not None}
    if len(given) != 1:
        raise ConfigError(
            f'expected exactly one of {", ".join(candidates)}, got {", ".join(given) or "none"}'
        )
    ((name, value),) = given.items()
    return make_level(name, value, unit)

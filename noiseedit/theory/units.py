"""Value ranges: what a variance in one is in another, and what it is in 8-bit units."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from noiseedit.errors import ConfigError
from noiseedit.theory import checks

ValueRange: TypeAlias = Literal['[-1,1]', '[0,1]', 'uint8']

RANGE_LIMITS: dict[str, tuple[float, float]] = {
    '[-1,1]': (-1.0, 1.0),
    '[0,1]': (0.0, 1.0),
    'uint8': (0.0, 255.0),
}
"""Black and white in each value range."""


def range_width(value_range: str) -> float:
    """Return white minus black: 2 for ``'[-1,1]'``, 1 for ``'[0,1]'``, 255 for ``'uint8'``.

    Raises:
        ConfigError: If the range is none of :data:`RANGE_LIMITS`.
    """
    low, high = range_limits(value_range)
    return high - low


def range_limits(value_range: str) -> tuple[float, float]:
    """Return (black, white) of a value range.

    Raises:
        ConfigError: If the range is none of :data:`RANGE_LIMITS`.
    """
    if value_range not in list(RANGE_LIMITS):  # a list [-1, 1] cannot be looked up
        raise ConfigError(
            f'value_range: expected one of {", ".join(RANGE_LIMITS)}, got {value_range!r}'
        )
    return RANGE_LIMITS[value_range]


def convert_variance(variance: float, value_range: str, to: str) -> float:
    """Return a variance given in ``value_range`` in the value range ``to``.

    ``v * (width(to) / width(value_range))^2``: 51^2 in ``'uint8'`` is 0.16 in ``'[-1,1]'``.

    Raises:
        ConfigError: If a range is unknown, or ``variance`` negative or not finite.
    """
    scale = range_width(to) / range_width(value_range)
    return checks.number('variance', variance) * scale**2


def sigma_255(variance: float, value_range: str) -> float:
    """Return the standard deviation in 8-bit units of a variance in ``value_range``.

    Raises:
        ConfigError: If the range is unknown, or ``variance`` negative or not finite.
    """
    return math.sqrt(convert_variance(variance, value_range, 'uint8'))

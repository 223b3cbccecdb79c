"""Composite Simpson quadrature on an even grid, and the grid that fits a law.

For smooth densities that vanish at both ends, the rule converges faster than any power of the step
once the step is well below the smallest standard deviation in the integrand.
"""

from __future__ import annotations

import math

import numpy as np

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory import checks
from noiseedit.theory.checks import Array

Grid = tuple[float, float, int]
"""Lower end, upper end and number of points; an odd number makes it Simpson's rule throughout."""

DROP = 64.0  # the grid ends where densities are exp(-64) of their peak or less
STEPS = 64  # steps to the smallest standard deviation ...
FEWEST_STEPS = 8  # ... or so many, where the grid would have more than MOST points
FEWEST, MOST = 2001, 2**22 + 1


def fitting_grid(low: float, high: float, finest: float, steps: int = STEPS) -> Grid:
    """Return a grid over [low, high] with steps of ``finest / steps``, and 2001 points or more.

    Args:
        low: Lower end.
        high: Upper end.
        finest: Smallest standard deviation among the laws.
        steps: Steps to that deviation; fewer where there would be more than four million points.

    Raises:
        DataError: If even steps of ``finest / 8`` would take more than four million points.
    """
    deviations = (high - low) / finest
    if FEWEST_STEPS * deviations > MOST - 1:
        raise DataError(
            f'quadrature over [{low:.6g}, {high:.6g}] with a standard deviation of {finest:.3g}: '
            f'an even grid would have more than {MOST} points; give one of your own with grid=, '
            'or laws whose widths are closer'
        )
    return low, high, 1 + 2 * math.ceil(min(max(steps * deviations, FEWEST - 1), MOST - 1) / 2)


def points(grid: Grid, finest: float) -> Array:
    """Return the abscissae of a grid for laws with smallest standard deviation ``finest``.

    Raises:
        ConfigError: If it is no (low, high, points) with low < high and at least 3 points, or if
            its steps are longer than ``finest / 8``.
    """
    try:
        low, high, count = grid
    except (TypeError, ValueError) as cause:
        raise ConfigError(f'grid: expected (low, high, points), got {grid!r}') from cause
    start, stop = (checks.number('grid end', end, low=-np.inf) for end in (low, high))
    if start >= stop:
        raise ConfigError(f'grid: expected low < high, got {grid!r}')
    count = checks.whole('grid points', count, low=3)
    needed = math.ceil(FEWEST_STEPS * (stop - start) / finest)
    if count <= needed:
        raise ConfigError(
            f'grid: a standard deviation of {finest:.3g} between {start:g} and {stop:g} needs '
            f'more than {needed} points, got {count}'
        )
    return np.linspace(start, stop, count)


def integrate(values: Array, x: Array) -> float:
    """Return the integral of ``values`` taken at the even abscissae ``x``."""
    from scipy.integrate import simpson

    return float(simpson(values, dx=(x[-1] - x[0]) / (x.size - 1)))

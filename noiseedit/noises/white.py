"""Which noises are white and additive, and of what variance: those that the theory is exact for."""

from __future__ import annotations

from typing import Any

from noiseedit.noises.base import BaseNoise
from noiseedit.noises.level import UNIT_WIDTH
from noiseedit.noises.pixelwise import GaussianNoise, LaplaceNoise, UniformNoise

LAWS: dict[type[BaseNoise], str] = {
    GaussianNoise: 'gaussian',
    UniformNoise: 'uniform',
    LaplaceNoise: 'laplace',
}


def white_law(noise: BaseNoise) -> str | None:
    """Return ``'gaussian'``, ``'uniform'`` or ``'laplace'``; ``None``: not additive and white.

    One field for all channels is not white.
    """
    return None if getattr(noise, 'mono', False) else LAWS.get(type(noise))


def white_variance(noise: BaseNoise) -> float | None:
    """Return the variance of white additive noise of one level, in squared [0, 1] units.

    ``None``: the noise is of another kind, or its level is a range.
    """
    if white_law(noise) is None or noise.level is None or not noise.level.is_fixed:
        return None
    return level_variance(noise.level.name, noise.level.low, noise.level.unit)


def level_variance(name: str, level: float, unit: Any) -> float:
    """Return the variance that a level of white noise means, in squared [0, 1] units.

    Args:
        name: ``'variance'``, ``'sigma'``, or ``'amplitude'`` of uniform noise (variance a^2/3).
        level: The number, in ``unit`` (``'variance'``: in squared ``unit``).
        unit: 255, '[0,1]' or '[-1,1]'.
    """
    scaled = level / UNIT_WIDTH[unit] ** (2 if name == 'variance' else 1)
    return {'variance': scaled, 'sigma': scaled**2, 'amplitude': scaled**2 / 3}[name]

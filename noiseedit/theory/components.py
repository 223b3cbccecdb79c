"""One Gaussian with independent zero-mean noise added: its log density and score.

``z`` is the distance from the mean and ``c`` the variance of the Gaussian; the noise has variance
``v``. Everything is computed in the log domain, so that far tails keep all digits.

========= ================================ ======================================================
noise     law                              density of the sum
========= ================================ ======================================================
gaussian  N(0, v)                          N(z; 0, c + v)
uniform   U(-a, a), ``a = sqrt(3 v)``      ``[Phi((z+a)/sqrt c) - Phi((z-a)/sqrt c)] / (2 a)``
laplace   Laplace(0, b), ``b = sqrt(v/2)`` two exponentially modified Gaussians, one to each side
========= ================================ ======================================================
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from noiseedit.errors import UnknownNameError, nearest
from noiseedit.theory.checks import Array

NOISES = ('gaussian', 'uniform', 'laplace')

NEGLIGIBLE = 1e-8
"""Share of the Gaussian's variance below which added noise of any law counts as Gaussian.

The densities differ by a fourth cumulant of at most ``3 (v/c)^2``: below float64's resolution.
"""

LOG_ROOT_2_PI = 0.5 * math.log(2 * math.pi)


class Tail(NamedTuple):
    """How a density falls: ``ln p(x) ~ -quadratic x^2 + linear x - power ln x`` as ``x`` grows."""

    quadratic: float
    linear: float
    power: float


def check_noise(noise: str) -> str:
    """Return ``noise`` if it is one of :data:`NOISES`.

    Raises:
        UnknownNameError: If it is not; lists the nearest.
    """
    if noise not in NOISES:
        near = ', '.join(nearest(str(noise), NOISES))
        raise UnknownNameError(f'noise: no law is called {noise!r}. Nearest: {near}')
    return noise


def scale(noise: str, variance: float) -> float:
    """Return the parameter of a noise: ``sqrt v``, half width ``a`` or Laplace's ``b``."""
    factor = {'gaussian': 1.0, 'uniform': 3.0, 'laplace': 0.5}[check_noise(noise)]
    return math.sqrt(factor * variance)


def log_density(z: Array, c: float, noise: str, v: float) -> Array:
    """Return the log density of the sum at distance ``z`` from its mean."""
    if noise == 'gaussian' or v <= NEGLIGIBLE * c:
        return -0.5 * z**2 / (c + v) - 0.5 * math.log(c + v) - LOG_ROOT_2_PI
    if noise == 'uniform':
        return _log_box(z, c, scale(noise, v))
    low, high = _log_sides(z, c, scale(noise, v))
    return np.logaddexp(low, high) - math.log(2 * scale(noise, v))


def score(z: Array, c: float, noise: str, v: float) -> Array:
    """Return ``d/dz`` of :func:`log_density`, in closed form."""
    if noise == 'gaussian' or v <= NEGLIGIBLE * c:
        return -z / (c + v)
    width = scale(noise, v)
    if noise == 'uniform':
        log_box = _log_box(z, c, width) + math.log(2 * width)
        edges = [-0.5 * (z + side) ** 2 / c - log_box for side in (width, -width)]
        return (np.exp(edges[0]) - np.exp(edges[1])) / math.sqrt(2 * math.pi * c)
    low, high = _log_sides(z, c, width)
    return np.tanh((low - high) / 2) / width


def tail(mean: float, c: float, noise: str, v: float, side: int) -> Tail:
    """Return how the sum's density falls towards ``side * infinity``, ``side`` being 1 or -1."""
    if noise == 'gaussian' or v <= NEGLIGIBLE * c:
        return Tail(0.5 / (c + v), side * mean / (c + v), 0.0)
    if noise == 'uniform':
        return Tail(0.5 / c, (side * mean + scale(noise, v)) / c, 1.0)
    return Tail(0.0, -1 / scale(noise, v), 0.0)


def reach(c: float, noise: str, v: float, drop: float) -> float:
    """Return a distance from the mean beyond which the density has lost ``drop`` in its log."""
    if noise == 'gaussian':
        return math.sqrt(2 * drop * (c + v))
    gaussian = math.sqrt(2 * drop * c)
    return gaussian + scale(noise, v) * (drop if noise == 'laplace' else 1.0)


def _log_box(z: Array, c: float, a: float) -> Array:
    """Return the log density with uniform noise; both Phi are taken in their small tail."""
    from scipy.special import log_ndtr

    distance, sigma = np.abs(z), math.sqrt(c)
    near = log_ndtr((a - distance) / sigma)
    far = log_ndtr((-a - distance) / sigma)
    return near + np.log(-np.expm1(far - near)) - math.log(2 * a)


def _log_sides(z: Array, c: float, b: float) -> tuple[Array, Array]:
    """Return logs of the parts of ``2 b p(z)`` whose noise lies below and above ``z = 0``."""
    sigma = math.sqrt(c)
    fall = -0.5 * z**2 / c
    return fall + _log_mills(sigma / b + z / sigma), fall + _log_mills(sigma / b - z / sigma)


def _log_mills(w: Array) -> Array:
    """Return ``ln[exp(w^2/2) Phi(-w)]`` for any ``w``."""
    from scipy.special import erfcx, log_ndtr

    positive = w > 0
    above = np.log(0.5 * erfcx(np.where(positive, w, 0.0) / math.sqrt(2)))
    below = np.where(positive, 0.0, w)
    return np.where(positive, above, 0.5 * below**2 + log_ndtr(-below))

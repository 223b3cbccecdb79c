"""The generators of the f-divergences ``D_f(P||Q) = int q f(p/q)``, in the log domain.

=============== ============================================ ===================== ==============
name            f(t)                                         weight r f''(r)       greatest value
=============== ============================================ ===================== ==============
kl              t ln t                                       1                     infinite
reverse_kl      -ln t                                        1 / r                 infinite
chi2            (t - 1)^2                                    2 r                   infinite
js              [t ln t - (t + 1) ln((t + 1) / 2)] / 2       1 / (2 (1 + r))       ln 2
hellinger       (sqrt t - 1)^2 / 2                           1 / (4 sqrt r)        1
=============== ============================================ ===================== ==============

``hellinger`` is the squared distance, ``1 - int sqrt(p q)``. Total variation is missing since its
``f`` has no second derivative: there is no weight, and Theorem 1 does not apply to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noiseedit.errors import ConfigError, UnknownNameError, nearest
from noiseedit.theory.checks import Array

TOTAL_VARIATION = ('tv', 'total_variation', 'totalvariation', 'hinge')


@dataclass(frozen=True)
class Generator:
    """One f-divergence; ``log_p`` and ``log_q`` are log densities at the same points.

    Both functions are homogeneous: with ``log_p = 0`` and ``log_q = -ln r`` they give what is
    averaged over samples of P.

    Attributes:
        integrand: ``q f(p/q)``.
        log_weight: ``ln[p r f''(r)]``, ``r = p/q``: the weight of the squared score difference.
        only_q: ``f(0)``: what a unit of mass costs where P has none.
        only_p: ``lim f(t)/t``: what a unit of mass costs where Q has none.
        square: Whether it holds ``p^2/q``, whose integral the tails of P and Q may make infinite.
    """

    integrand: Callable[[Array, Array], Array]
    log_weight: Callable[[Array, Array], Array]
    only_q: float
    only_p: float
    square: bool = False


def _kl(log_p: Array, log_q: Array) -> Array:
    return np.exp(log_p) * (log_p - log_q)


def _chi2(log_p: Array, log_q: Array) -> Array:
    shrink = np.expm1(-np.abs(log_p - log_q)) ** 2
    return np.exp(np.where(log_p > log_q, 2 * log_p - log_q, log_q)) * shrink


def _js(log_p: Array, log_q: Array) -> Array:
    gap = -np.abs(log_p - log_q)
    ratio = np.exp(gap)  # the smaller density over the larger one
    middle = np.log1p(np.expm1(gap) / 2)  # ln of their mean over the larger one
    return 0.5 * np.exp(np.maximum(log_p, log_q)) * (ratio * gap - (1 + ratio) * middle)


def _hellinger(log_p: Array, log_q: Array) -> Array:
    gap = -np.abs(log_p - log_q)
    return 0.5 * np.exp(np.maximum(log_p, log_q)) * np.expm1(gap / 2) ** 2


GENERATORS = {
    'kl': Generator(_kl, lambda p, q: p, 0.0, math.inf),
    'reverse_kl': Generator(lambda p, q: _kl(q, p), lambda p, q: q, math.inf, 0.0),
    'chi2': Generator(_chi2, lambda p, q: 2 * p - q + math.log(2), 1.0, math.inf, square=True),
    'js': Generator(
        _js,
        lambda p, q: p + q - np.logaddexp(p, q) - math.log(2),
        0.5 * math.log(2),
        0.5 * math.log(2),
    ),
    'hellinger': Generator(_hellinger, lambda p, q: (p + q) / 2 - math.log(4), 0.5, 0.5),
}

DIVERGENCES = tuple(GENERATORS)


def find(name: str) -> Generator:
    """Return the generator called ``name``.

    Raises:
        ConfigError: If it is total variation, which has no ``f''``.
        UnknownNameError: If there is none of that name; lists the nearest.
    """
    plain = str(name).lower()
    if plain in TOTAL_VARIATION:
        raise ConfigError(
            f"divergence {name!r}: total variation has no second derivative f'', so that Theorem 1 "
            f'says nothing about it; expected one of {", ".join(DIVERGENCES)}'
        )
    if plain not in GENERATORS:
        near = ', '.join(nearest(plain, GENERATORS))
        raise UnknownNameError(f'divergence: none is called {name!r}. Nearest: {near}')
    return GENERATORS[plain]

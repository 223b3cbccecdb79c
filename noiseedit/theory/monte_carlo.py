"""f-divergences and ``eta_f`` from samples, in any dimension, with the scores of the user's laws.

Everything is evaluated at ``n`` samples of P: the log ratio ``ln p - ln q``, shape ``(n,)``, and
the scores ``grad_x ln p`` and ``grad_x ln q``, shape ``(n, d)`` or, for ``d = 1``, ``(n,)``. With
labels, take the joint log densities ``ln p(x, y)`` and gradients with respect to ``x`` only.

The standard error says how far off an estimate may be only where the average has a variance: where
Q is too narrow, chi2 has none; where P is, the reverse divergence has none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.errors import DataError
from noiseedit.theory import checks, generators
from noiseedit.theory.checks import Array


class Estimate(NamedTuple):
    """A Monte Carlo estimate and the standard deviation that it has as an estimate."""

    value: float
    standard_error: float


class MatrixEstimate(NamedTuple):
    """A Monte Carlo estimate of a matrix, shape ``(d, d)``, and its entries' standard errors."""

    value: Array
    standard_error: Array


def sampled_divergence(name: str, log_ratio: ArrayLike) -> Estimate:
    """Return ``D_f(P||Q) = E_P[f(r) / r]`` as a mean over samples of P.

    Args:
        name: See :func:`noiseedit.theory.f_divergence`.
        log_ratio: ``ln p(x) - ln q(x)`` at the samples, shape ``(n,)``, ``n`` >= 2.

    Raises:
        UnknownNameError: If there is no such divergence; lists the nearest.
        ConfigError: For total variation.
        DataError: If a number is not finite or the shape not ``(n,)``.
    """
    logs = _samples('log_ratio', log_ratio)
    return _mean(generators.find(name).integrand(np.zeros_like(logs), -logs))


def sampled_eta(
    name: str, score_p: ArrayLike, score_q: ArrayLike, log_ratio: ArrayLike | None = None
) -> Estimate:
    """Return ``eta_f = E_P[r f''(r) |grad ln p - grad ln q|^2]`` as a mean over samples of P.

    Args:
        name: See :func:`noiseedit.theory.f_divergence`.
        score_p: ``grad_x ln p`` at the samples, shape ``(n, d)`` or ``(n,)``.
        score_q: ``grad_x ln q`` at the same samples, of the same shape.
        log_ratio: ``ln p - ln q`` at the samples, shape ``(n,)``; ``None`` only for ``'kl'``, whose
            weight is 1.

    Raises:
        UnknownNameError: If there is no such divergence; lists the nearest.
        ConfigError: For total variation.
        DataError: If a number is not finite, shapes differ, or a log ratio is missing.
    """
    gaps, weights = _gaps_and_weights(name, score_p, score_q, log_ratio)
    return _mean(weights * np.sum(gaps**2, axis=1))


def sampled_derivative(
    name: str, score_p: ArrayLike, score_q: ArrayLike, log_ratio: ArrayLike | None = None
) -> MatrixEstimate:
    """Return ``dD_f/dK = -1/2 E_P[r f''(r) u u^T]``, ``u = grad ln p - grad ln q``.

    ``K`` is the covariance of Gaussian noise on both laws: a small change ``dK`` changes the
    divergence by ``tr(D dK)``, ``D`` being this matrix. Its trace is ``-eta_f / 2``. Arguments and
    errors are those of :func:`sampled_eta`.
    """
    gaps, weights = _gaps_and_weights(name, score_p, score_q, log_ratio)
    count = len(gaps)
    value = -0.5 * np.einsum('n,ni,nj->ij', weights, gaps, gaps) / count
    square = 0.25 * np.einsum('n,ni,nj->ij', weights**2, gaps**2, gaps**2) / count
    spread = np.maximum(square - value**2, 0.0)
    return MatrixEstimate(value, np.sqrt(spread / (count - 1)))


def _gaps_and_weights(
    name: str, score_p: ArrayLike, score_q: ArrayLike, log_ratio: ArrayLike | None
) -> tuple[Array, Array]:
    generator = generators.find(name)
    gaps = _scores('score_p', score_p) - _scores('score_q', score_q, like=np.shape(score_p))
    if log_ratio is None and name.lower() != 'kl':
        raise DataError(f'log_ratio: expected one number for each sample with {name!r}, got None')
    logs = np.zeros(len(gaps)) if log_ratio is None else _samples('log_ratio', log_ratio, len(gaps))
    return gaps, np.exp(generator.log_weight(np.zeros_like(logs), -logs))


def _samples(name: str, values: ArrayLike, count: int | None = None) -> Array:
    found = checks.vector(name, values, count)
    if found.size < 2:
        raise DataError(f'{name}: expected two samples or more, got {found.size}')
    return found


def _scores(name: str, values: ArrayLike, like: tuple[int, ...] | None = None) -> Array:
    shape = np.shape(values)
    if len(shape) not in (1, 2) or shape[0] < 2 or (like is not None and shape != like):
        wanted = 'shape (n, d) or (n,), n >= 2' if like is None else f'shape {like} as score_p'
        raise DataError(f'{name}: expected {wanted}, got shape {shape}')
    return checks.vector(name, np.ravel(values)).reshape(shape[0], -1)


def _mean(values: Array) -> Estimate:
    error = float(np.std(values, ddof=1)) / math.sqrt(values.size)
    return Estimate(float(np.mean(values)), error)

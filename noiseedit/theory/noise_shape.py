"""Inference noise that is not white: coloured, signal-dependent, or biased as salt and pepper.

The training noise stays white. With ``c_i = u_i^T (Chat + delta delta^T) u_i`` the second moment
of the input (covariance ``Chat``, mean shift ``delta``) along eigenvector ``u_i`` of the source,
the part of the divergence that depends on ``s = sigma_t^2`` is
``1/2 sum_i [ln(lam_i + s) + c_i / (lam_i + s)]``. Variances are in the network's value range.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory import checks
from noiseedit.theory.checks import Array
from noiseedit.theory.mismatch import gaussian_kl
from noiseedit.theory.units import range_limits, range_width

ITERATIONS = 10_000  # more than halving takes from the largest float to the smallest
GRID = 1024  # points between which a change of sign of the derivative is looked for


def positive_spectrum(eigenvalues: ArrayLike) -> Array:
    """Return eigenvalues, shape ``(d,)``, all > 0.

    Raises:
        DataError: If one is not: a direction without variance makes clean inputs infinitely far.
    """
    lam = checks.spectrum(eigenvalues)
    if np.any(lam == 0):
        raise DataError(
            f'eigenvalues: expected all > 0, got 0 at index {int(np.argmin(lam))}: '
            'raise them with floor_eigenvalues'
        )
    return lam


def find_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the zero of ``function`` between two points of opposite sign, to the last bits."""
    from scipy.optimize import brentq

    root: float = brentq(
        function, low, high, xtol=1e-300, rtol=4 * np.finfo(float).eps, maxiter=ITERATIONS
    )
    return root


def coloured_variance(eigenvalues: ArrayLike, noise_energy: ArrayLike) -> float:
    """Return the training variance for inference noise of another colour.

    The solution of ``sum_i (s - a_i) / (lam_i + s)^2 = 0``: a mean of ``a_i`` in which the
    directions of least image energy weigh most.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        noise_energy: ``a_i = u_i^T Sigma_e u_i >= 0``, shape ``(d,)``; of noise of random level
            its mean.

    Raises:
        DataError: If eigenvalues or energies are not as said.
    """
    lam = positive_spectrum(eigenvalues)
    energy = checks.vector('noise_energy', checks.variances('noise_energy', noise_energy), lam.size)
    return least_divergence(lam, energy)


def matched_variance(eigenvalues: ArrayLike, second_moments: ArrayLike) -> float:
    """Return the training variance with the least divergence for any inference input.

    The solution of ``sum_i (lam_i + s - c_i) / (lam_i + s)^2 = 0``. Of several solutions the one of
    least divergence is taken; 0 where every training noise only harms.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        second_moments: ``c_i > 0``, shape ``(d,)``; see the module. Of inputs at a random level
            their mean, which gives the level with the least mean divergence.

    Raises:
        DataError: If eigenvalues or moments are not as said.
    """
    lam = positive_spectrum(eigenvalues)
    return least_divergence(lam, _moments(second_moments, lam.size) - lam)


def least_divergence(lam: Array, excess: Array) -> float:
    """Return the training variance with the least divergence for ``c_i = lam_i + excess_i``."""
    if excess.max() <= 0:
        return 0.0
    return min(_minima(lam, excess), key=lambda s: _cost(lam, excess, s))


def _minima(lam: Array, excess: Array) -> list[float]:
    """Return where the divergence turns from falling to rising; none exceeds ``max(excess)``."""
    high = float(excess.max())
    low = 1e-3 * min(float(lam.min()), high)
    grid = np.concatenate(([0.0], np.geomspace(low, high, GRID)))

    def slope(s: float) -> float:
        return float(np.sum((s - excess) / (lam + s) / (lam + s)))

    slopes = np.array([slope(s) for s in grid])
    turns = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    inside = [find_root(slope, grid[i], grid[i + 1]) for i in turns]
    return inside if slopes[0] < 0 else [0.0, *inside]


def _cost(lam: Array, excess: Array, s: float) -> float:
    return float(np.sum(np.log1p(s / lam) + (excess - s) / (lam + s)))


def matched_kl(eigenvalues: ArrayLike, train_variance: float, second_moments: ArrayLike) -> float:
    """Return the divergence in nats of a Gaussian input with second moments ``c_i``.

    ``1/2 sum_i (r_i - 1 - ln r_i)`` with ``r_i = c_i / (lam_i + s)``: ``rho_g`` for inputs that may
    have less energy than the source in some directions. Exact where the input is Gaussian, has the
    mean and the eigenvectors of the source.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        train_variance: ``s = sigma_t^2 >= 0``.
        second_moments: ``c_i > 0``, shape ``(d,)``.

    Raises:
        DataError: If eigenvalues or moments are not as said.
        ConfigError: If ``train_variance`` is negative or not finite.
    """
    train = positive_spectrum(eigenvalues) + checks.number('train_variance', train_variance)
    moments = _moments(second_moments, train.size)
    return gaussian_kl(np.zeros_like(train), 1.0, moments / train)  # it depends on ratios alone


def moments_at(levels: Array, moments: Array, variance: float) -> Array:
    """Return second moments at a noise level, on the straight lines between levels.

    Args:
        levels: Variances, ascending, shape ``(k,)``.
        moments: ``c_i`` at each, shape ``(k, d)``.
        variance: Any; beyond the last level its line goes on, but to no less than the smallest.

    Returns:
        Shape ``(d,)``.
    """
    if len(levels) == 1:
        return moments[0]
    k = min(int(np.searchsorted(levels, variance, side='right')), len(levels) - 1)
    share = (variance - levels[k - 1]) / (levels[k] - levels[k - 1])
    found = moments[k - 1] + share * (moments[k] - moments[k - 1])
    return np.maximum(found, moments.min(axis=0))


def _moments(second_moments: ArrayLike, size: int) -> Array:
    found = checks.vector('second_moments', second_moments, size)
    if np.any(found <= 0):
        index = int(np.argmax(found <= 0))
        raise DataError(f'second_moments: expected all > 0, got {found[index]} at index {index}')
    return found


def signal_dependent_variance(
    mean: float, gain: float, read_variance: float = 0.0, value_range: str = '[-1,1]'
) -> float:
    """Return the mean variance of Poisson(-Gaussian) noise: what the average rule works with.

    The noise of a pixel u in [0, 1] has mean 0 and variance ``gain * u + read_variance``. Only its
    mean over the data enters the divergence: ``gain * mean + read_variance``, times 4 in [-1, 1].

    Args:
        mean: Mean pixel value, in [0, 1].
        gain: Variance at white, in [0, 1] units; of counts ``1 / peak``.
        read_variance: Variance at black, in [0, 1] units.
        value_range: Range that the result is in.

    Raises:
        ConfigError: If a number is negative or not finite, ``mean`` above 1, or the range unknown.
    """
    level = checks.number('gain', gain) * _fraction('mean', mean)
    scale = range_width(value_range) ** 2
    return (level + checks.number('read_variance', read_variance)) * scale


def salt_pepper_moments(
    covariance: ArrayLike,
    mean: ArrayLike,
    amount: float,
    *,
    pixels: ArrayLike | None = None,
    value_range: str = '[-1,1]',
) -> tuple[Array, Array]:
    """Return mean shift and covariance of inputs under salt and pepper noise.

    With probability ``p`` an element becomes black or white, half each. In [-1, 1]:
    ``delta = -p mu`` and ``Chat = (1-p)^2 Sigma_s + diag(p + p (1-p) E[x^2])``.

    Args:
        covariance: ``Sigma_s`` of the clean inputs, shape ``(d, d)``.
        mean: ``mu`` of the clean inputs, shape ``(d,)``.
        amount: ``p`` in [0, 1].
        pixels: For every element the number of its pixel, shape ``(d,)``: elements of one pixel
            (its channels) are hit together and alike. ``None``: every element on its own.
        value_range: Range of the inputs: what black and white are.

    Returns:
        ``delta``, shape ``(d,)``, and ``Chat``, shape ``(d, d)``.

    Raises:
        ConfigError: If ``amount`` is not in [0, 1] or the range unknown.
        DataError: If the arrays are not finite or of other shapes.
    """
    centre, sigma = _law(mean, covariance)
    p, (low, high) = _fraction('amount', amount), range_limits(value_range)
    delta = p * ((low + high) / 2 - centre)
    clean = sigma + np.outer(centre, centre)
    hit_together = (1 - p) * clean + p * (low**2 + high**2) / 2
    shifted = centre + delta
    own = np.arange(centre.size) if pixels is None else checks.vector('pixels', pixels, centre.size)
    same = own[:, None] == own[None, :]
    return delta, np.where(same, hit_together - np.outer(shifted, shifted), (1 - p) ** 2 * sigma)


def second_moments(eigenvectors: ArrayLike, delta: ArrayLike, covariance: ArrayLike) -> Array:
    """Return ``c_i = u_i^T (Chat + delta delta^T) u_i``, shape ``(d,)``.

    Args:
        eigenvectors: ``u_i`` of the source covariance, the columns of a ``(d, d)`` matrix.
        delta: Mean of the input minus mean of the source, shape ``(d,)``.
        covariance: ``Chat`` of the input, shape ``(d, d)``.

    Raises:
        DataError: If the arrays are not finite or of other shapes.
    """
    shift, sigma = _law(delta, covariance)
    basis = _square('eigenvectors', eigenvectors, shift.size)
    return np.einsum('ij,ik,kj->j', basis, sigma + np.outer(shift, shift), basis, optimize=True)


def _law(mean: ArrayLike, covariance: ArrayLike) -> tuple[Array, Array]:
    centre = checks.vector('mean', mean)
    return centre, _square('covariance', covariance, centre.size)


def _square(name: str, matrix: ArrayLike, size: int) -> Array:
    found = checks.array(name, matrix)
    if found.shape != (size, size) or not np.isfinite(found).all():
        raise DataError(f'{name}: expected a finite ({size}, {size}) matrix, got {found.shape}')
    return found


def _fraction(name: str, value: float) -> float:
    found = checks.number(name, value)
    if found > 1:
        raise ConfigError(f'{name}: expected a number in [0, 1], got {value!r}')
    return found

"""Training noise of one variance, inference noise of another: what the mismatch costs.

The input law of training is ``X + sqrt(s) N`` with ``N ~ N(0, I)``, that of inference ``X + E``;
``rho(s, Sigma_e) = KL(law of X + E || law of X + sqrt(s) N)`` in nats. It bounds the divergence of
what a network makes of the two. Here the source ``X`` is Gaussian (Theorem 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.theory import checks
from noiseedit.theory.checks import Array

SERIES_BELOW = 0.1  # x - ln(1 + x) by its series, which keeps all digits


def gaussian_kl(
    eigenvalues: ArrayLike,
    train_variance: float,
    test_variance: ArrayLike,
    *,
    mean: ArrayLike | None = None,
) -> float:
    """Return ``rho_g``, the KL divergence in nats for a Gaussian source and Gaussian noise.

    Equation (7) in the eigenbasis of the source covariance: ``1/2 sum_i (r_i - 1 - ln r_i)`` with
    ``r_i = (lam_i + a_i) / (lam_i + s)``; plus ``1/2 sum_i m_i^2 / (lam_i + s)``.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, any order, >= 0.
        train_variance: ``s = sigma_t^2`` of the white training noise, >= 0.
        test_variance: ``sigma_e^2`` of white inference noise, or ``a_i = u_i^T Sigma_e u_i``,
            shape ``(d,)``, for noise whose covariance shares the eigenvectors ``u_i``.
        mean: Mean ``m_i`` of the inference noise in the eigenbasis, shape ``(d,)``; ``None`` = 0.

    Returns:
        Nats for all ``d`` dimensions together. ``inf`` where exactly one of the two laws is
        degenerate (``lam_i + s = 0`` or ``lam_i + a_i = 0``) or a degenerate one is shifted.

    Raises:
        DataError: If eigenvalues, variances or mean are not finite, negative or of other shape.
        ConfigError: If ``train_variance`` is negative or not finite.
    """
    lam = checks.spectrum(eigenvalues)
    s = checks.number('train_variance', train_variance)
    train, noise = lam + s, _per_eigenvalue(test_variance, lam.size)
    total = float(_gaussian_terms(train, lam + noise, noise - s).sum())
    if mean is None:
        return total
    return total + float(_shift_terms(train, checks.vector('mean', mean, lam.size)).sum())


def kl_table(
    eigenvalues: ArrayLike, train_variances: ArrayLike, test_variances: ArrayLike
) -> Array:
    """Return ``gaussian_kl`` of every pair of white noises, shape ``(train, test)``, in nats.

    Args:
        eigenvalues: See :func:`gaussian_kl`.
        train_variances: Rows: variances of training noise, >= 0.
        test_variances: Columns: variances of inference noise, >= 0.

    Raises:
        DataError: If a number is not finite or negative.
    """
    lam = checks.spectrum(eigenvalues)
    tests = checks.variances('test_variances', test_variances)[:, None]
    trains = checks.variances('train_variances', train_variances)
    rows = [_gaussian_terms(lam + s, lam + tests, tests - s).sum(axis=-1) for s in trains]
    return np.array(rows)


def gaussian_kl_full(
    covariance: ArrayLike,
    train_variance: float,
    noise_covariance: ArrayLike,
    *,
    mean: ArrayLike | None = None,
) -> float:
    """Return ``rho_g`` in nats for noise of any covariance, equation (7).

    ``1/2 {tr[A^-1 B] - d + ln det A - ln det B}``, ``A = Sigma_s + s I``, ``B = Sigma_s +
    Sigma_e``; plus ``1/2 m^T A^-1 m``. Directions in which ``A`` has no variance (up to rounding)
    count as in :func:`gaussian_kl`: 0 if ``B`` has none there either, else ``inf``.

    Args:
        covariance: ``Sigma_s`` of the source, shape ``(d, d)``, positive semidefinite.
        train_variance: ``s = sigma_t^2`` of the white training noise, >= 0.
        noise_covariance: ``Sigma_e`` of the inference noise, shape ``(d, d)``.
        mean: Mean ``m`` of the inference noise, shape ``(d,)``; ``None`` = 0.

    Raises:
        DataError: If a matrix is not finite, square, symmetric and positive semidefinite.
        ConfigError: If ``train_variance`` is negative or not finite.
    """
    source = checks.covariance('covariance', covariance)
    size = len(source)
    noise = checks.covariance('noise_covariance', noise_covariance, size)
    shift = np.zeros(size) if mean is None else checks.vector('mean', mean, size)
    train = source + checks.number('train_variance', train_variance) * np.eye(size)
    return _full_kl(train, source + noise, shift)


def _full_kl(train: Array, test: Array, shift: Array) -> float:
    """Return KL(N(shift, test) || N(0, train))."""
    values, vectors = np.linalg.eigh(train)
    resolution = len(train) * np.finfo(float).eps
    kept = values > resolution * values[-1]
    lost = vectors[:, ~kept]
    energy = np.abs(lost.T @ (test + np.outer(shift, shift)) @ lost)
    if np.any(energy > resolution * max(values[-1], np.trace(test))):
        return float('inf')
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    ratios = np.linalg.eigvalsh(whiten.T @ test @ whiten)
    ratios = np.where(ratios > resolution * np.max(ratios, initial=0.0), ratios, 0.0)
    distance = whiten.T @ shift
    ones = np.ones_like(ratios)
    return float(_gaussian_terms(ones, ratios, ratios - 1).sum() + 0.5 * distance @ distance)


def log1p_excess(x: Array) -> Array:
    """Return ``x - ln(1 + x)`` for x > -1, accurate also where x is tiny.

    With ``y = x / (2 + x)``: ``ln(1 + x) = 2 (y + y^3/3 + y^5/5 + ...)``.
    """
    y = x / (2 + x)
    tail = sum(y ** (2 * k) / (2 * k + 3) for k in range(7))
    return np.where(np.abs(x) < SERIES_BELOW, x * y - 2 * y**3 * tail, x - np.log1p(x))


def _gaussian_terms(train: Array, test: Array, surplus: Array) -> Array:
    """Return ``1/2 (r - 1 - ln r)`` with ``r = test / train``; 0 where both are 0.

    ``surplus`` is ``test - train`` without the rounding of either.
    """
    with np.errstate(all='ignore'):
        excess = surplus / train
        small = np.maximum(excess, -0.5)  # below it the ratio itself has all digits
        far = excess - np.log(test / train)
        terms = 0.5 * np.where(excess < -0.5, far, log1p_excess(small))
    both_zero = (train == 0) & (test == 0)
    return np.where(both_zero, 0.0, np.where(np.isinf(excess), np.inf, terms))


def _shift_terms(train: Array, mean: Array) -> Array:
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.where(mean == 0, 0.0, 0.5 * mean**2 / train)


def _per_eigenvalue(test_variance: ArrayLike, size: int) -> Array:
    if np.ndim(test_variance) == 0:
        return np.full(size, checks.number('test_variance', test_variance))  # type: ignore[arg-type]
    return checks.variances('test_variance', test_variance, size)

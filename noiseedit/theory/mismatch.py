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
    train = lam + checks.number('train_variance', train_variance)
    total = float(_gaussian_terms(train, lam + _per_eigenvalue(test_variance, lam.size)).sum())
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
    train = lam + checks.variances('train_variances', train_variances)[:, None]
    test = lam + checks.variances('test_variances', test_variances)[:, None]
    return np.array([_gaussian_terms(row, test).sum(axis=-1) for row in train])


def _gaussian_terms(train: Array, test: Array) -> Array:
    """Return ``1/2 (r - 1 - ln r)`` with ``r = test / train``; 0 where both are 0."""
    with np.errstate(divide='ignore', invalid='ignore'):
        excess = (test - train) / train
        log_ratio = np.where(excess < -0.5, np.log(test / train), np.log1p(excess))
        terms = 0.5 * (excess - log_ratio)
    both_zero = (train == 0) & (test == 0)
    return np.where(both_zero, 0.0, np.where(train == 0, np.inf, terms))


def _shift_terms(train: Array, mean: Array) -> Array:
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.where(mean == 0, 0.0, 0.5 * mean**2 / train)


def _per_eigenvalue(test_variance: ArrayLike, size: int) -> Array:
    if np.ndim(test_variance) == 0:
        return np.full(size, checks.number('test_variance', test_variance))  # type: ignore[arg-type]
    return checks.variances('test_variance', test_variance, size)

"""Mismatched noise on a one-dimensional source of any law (Theorem 3).

``theta(s, e) = KL(X + E || X + sqrt(s) N)`` with training noise of variance ``s = sigma_t^2`` and
inference noise ``E`` of variance ``e = sigma_e^2``; ``theta_g`` is that of Gaussian ``E``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from noiseedit.theory import checks, quadrature
from noiseedit.theory.checks import Array
from noiseedit.theory.divergence import f_divergence
from noiseedit.theory.laws import GaussianMixture
from noiseedit.theory.noise_shape import find_root
from noiseedit.theory.quadrature import Grid, fitting_grid

NODES = 24


def theta(
    source: GaussianMixture,
    train_variance: float,
    test_variance: float,
    noise: str = 'gaussian',
    *,
    grid: Grid | None = None,
) -> float:
    """Return ``theta``, the KL divergence of mismatched noise in nats, by quadrature.

    Args:
        source: The law of ``X``.
        train_variance: ``s`` of the Gaussian training noise, >= 0.
        test_variance: ``e`` of the inference noise, >= 0.
        noise: Its law: ``'gaussian'``, ``'uniform'`` or ``'laplace'``.
        grid: (low, high, points); ``None``: see :func:`noiseedit.theory.f_divergence`.

    Raises:
        ConfigError: If a variance is negative or not finite.
        UnknownNameError: If there is no such noise; lists the nearest.
    """
    test, train = source.with_noise(test_variance, noise), source.with_noise(train_variance)
    return f_divergence('kl', test, train, grid=grid)


def theta_derivative(
    source: GaussianMixture,
    train_variance: float,
    test_variance: float,
    *,
    grid: Grid | None = None,
) -> float:
    """Return ``d theta_g / d e`` for Gaussian inference noise, equation (10).

    ``E[-1/2 |grad ln p_hat|^2 + 1/2 grad ln p_hat . grad ln p_bar]`` over inputs ``X + E``, whose
    density is ``p_hat``; ``p_bar`` is that of the training inputs, both at the same point.
    Arguments and errors: see :func:`theta`.
    """
    test, train = source.with_noise(test_variance), source.with_noise(train_variance)
    x = _abscissae([test, train], grid)
    score = test.score(x)
    return quadrature.integrate(
        0.5 * np.exp(test.log_density(x)) * score * (train.score(x) - score), x
    )


def best_train_variance(
    source: GaussianMixture,
    lambda_max: float,
    *,
    noise: str = 'gaussian',
    reverse: bool = False,
    nodes: int = NODES,
    grid: Grid | None = None,
) -> float:
    """Return the ``s`` in [0, lambda_max] of least mean ``theta`` for ``e`` uniform there.

    For a Gaussian source it is ``lambda_max / 2`` whatever the noise; for other sources it differs
    by some per cent. The root of the derivative of the mean is found by Brent's method.

    Args:
        source: The law of ``X``.
        lambda_max: Largest variance of the inference noise, > 0.
        noise: Law of the inference noise: ``'gaussian'``, ``'uniform'`` or ``'laplace'``.
        reverse: Measure ``KL(X + sqrt(s) N || X + E)`` instead. For a Gaussian source and noise the
            optimum solves ``sum 1/(lam_i + s) = 1/M sum ln(1 + M/lam_i)``, as ``minimax_variance``.
        nodes: Number of Gauss-Legendre nodes over ``e``.
        grid: (low, high, points); ``None``: see :func:`noiseedit.theory.f_divergence`.

    Raises:
        ConfigError: If ``lambda_max`` is not positive and finite, or ``nodes`` below 1.
        UnknownNameError: If there is no such noise; lists the nearest.
    """
    top = checks.number('lambda_max', lambda_max, exclusive=True)
    places, weights = np.polynomial.legendre.leggauss(checks.whole('nodes', nodes))
    tests = [source.with_noise(float(e), noise) for e in top * (places + 1) / 2]
    x = _abscissae([source, source.with_noise(top), *tests], grid)
    density, slope = _mean_law(tests, weights / 2, x, reverse=reverse)

    def gain(s: float) -> float:  # twice the derivative of the mean divergence
        train = source.with_noise(s)
        score = train.score(x)
        if reverse:
            return quadrature.integrate(np.exp(train.log_density(x)) * score * (slope - score), x)
        return quadrature.integrate((slope - density * score) * score, x)

    if gain(0.0) >= 0:
        return 0.0
    return top if gain(top) <= 0 else find_root(gain, 0.0, top)


def _mean_law(
    tests: Sequence[GaussianMixture], weights: Array, x: Array, *, reverse: bool
) -> tuple[Array, Array]:
    """Return means over the noise levels: the density and its slope, or 1 and the score."""
    density, slope = np.zeros_like(x), np.zeros_like(x)
    for weight, law in zip(weights, tests, strict=True):
        share = weight * (np.ones_like(x) if reverse else np.exp(law.log_density(x)))
        density += share
        slope += share * law.score(x)
    return density, slope


def _abscissae(laws: Sequence[GaussianMixture], grid: Grid | None) -> Array:
    finest = min(law.finest for law in laws)
    low, high = min(law.limits[0] for law in laws), max(law.limits[1] for law in laws)
    return quadrature.points(grid or fitting_grid(low, high, finest), finest)

"""Inference noise that is not Gaussian, on a Gaussian source: ``rho`` and the entropy it hangs on.

``rho = rho_g + J(X + E)``, where ``J``, the negentropy, is what a law's entropy lacks to that of
the Gaussian with its covariance. ``J(X + E)`` does not depend on the training noise, and lies
between 0 and ``J(E)``.

With several eigenvalues the noise is independent along the eigenvectors: true of independent
pixel noise where the source's pixels are uncorrelated. Otherwise sums of many pixels' noises stand
in its place, which are closer to Gaussian, so that ``J(X + E)`` is smaller than stated here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.theory import checks, components
from noiseedit.theory.divergence import f_divergence
from noiseedit.theory.laws import gaussian
from noiseedit.theory.mismatch import gaussian_kl
from noiseedit.theory.quadrature import fitting_grid

NEGENTROPY = {
    'gaussian': 0.0,
    'uniform': 0.5 * math.log(2 * math.pi * math.e / 12),
    'laplace': 0.5 * math.log(math.pi) - 0.5,
}
EXCESS_KURTOSIS = {'gaussian': 0.0, 'uniform': -1.2, 'laplace': 3.0}

STEPS = 16  # to a standard deviation: 14 digits, as no log ratio here has sharp bends


def negentropy(noise: str) -> float:
    """Return ``J(E)`` of one element in nats: gaussian 0, uniform 0.17649, laplace 0.07236.

    The same at every variance.

    Raises:
        UnknownNameError: If there is no such noise; lists the nearest.
    """
    return NEGENTROPY[components.check_noise(noise)]


def negentropy_gap(eigenvalues: ArrayLike, test_variance: float, noise: str) -> float:
    """Return ``J(X + E) = rho - rho_g`` in nats, summed over the eigenvalues; by quadrature.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, a number or shape ``(d,)``, >= 0.
        test_variance: ``sigma_e^2`` of the noise, >= 0.
        noise: ``'gaussian'``, ``'uniform'`` or ``'laplace'``, independent along the eigenvectors.

    Raises:
        DataError: If an eigenvalue is negative or not finite, or positive but tens of millions of
            times smaller than the variance.
        ConfigError: If the variance is negative or not finite.
        UnknownNameError: If there is no such noise; lists the nearest.
    """
    lam = checks.spectrum(np.atleast_1d(eigenvalues))
    e = checks.number('test_variance', test_variance)
    if components.check_noise(noise) == 'gaussian' or e == 0:
        return 0.0
    each, counts = np.unique(lam, return_counts=True)
    gaps = [_gap(one, e, noise) for one in each.tolist()]
    return float(np.dot(counts, gaps))


def small_noise_gap(
    eigenvalues: ArrayLike,
    test_variance: float,
    *,
    skewness: float = 0.0,
    excess_kurtosis: float = 0.0,
) -> float:
    """Return ``J(X + E)`` for noise that is small against the source, from its cumulants.

    ``sum_i [k3^2 / (12 (lam_i + e)^3) + k4^2 / (48 (lam_i + e)^4)]``, ``k3 = skewness e^(3/2)``,
    ``k4 = excess_kurtosis e^2``: of third order in ``e`` for skewed, of fourth for symmetric noise.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, a number or shape ``(d,)``, >= 0.
        test_variance: ``e = sigma_e^2`` of the noise, >= 0.
        skewness: Third standardised cumulant of the noise.
        excess_kurtosis: Fourth one: uniform -1.2, laplace 3 (see :data:`EXCESS_KURTOSIS`).

    Raises:
        DataError: If an eigenvalue is negative or not finite.
        ConfigError: If a number is not finite or the variance negative.
    """
    lam = checks.spectrum(np.atleast_1d(eigenvalues))
    e = checks.number('test_variance', test_variance)
    share = np.divide(e, lam + e, out=np.zeros_like(lam), where=lam + e > 0)
    third = checks.number('skewness', skewness, low=-math.inf)
    fourth = checks.number('excess_kurtosis', excess_kurtosis, low=-math.inf)
    return float(np.sum(third**2 * share**3 / 12 + fourth**2 * share**4 / 48))


def rho(
    eigenvalues: ArrayLike, train_variance: float, test_variance: float, noise: str = 'gaussian'
) -> float:
    """Return ``KL(X + E || X + sqrt(s) N)`` in nats for a Gaussian source, equation (6).

    ``-h(X + E) + d/2 ln(2 pi) + 1/2 sum_i [ln(lam_i + s) + (lam_i + e) / (lam_i + s)]``, evaluated
    as ``rho_g + J(X + E)``, which keeps the digits where both laws are close.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, a number or shape ``(d,)``, >= 0.
        train_variance: ``s = sigma_t^2`` of the Gaussian training noise, >= 0.
        test_variance: ``e = sigma_e^2`` of the inference noise, >= 0.
        noise: Law of the inference noise; see :func:`negentropy_gap`, also for the errors.

    Returns:
        Nats for all dimensions together; ``inf`` as in :func:`~noiseedit.theory.gaussian_kl`.
    """
    lam = np.atleast_1d(eigenvalues)
    gap = negentropy_gap(lam, test_variance, noise)
    return gaussian_kl(lam, train_variance, test_variance) + gap


def entropy_gain(eigenvalues: ArrayLike, test_variance: float, noise: str = 'gaussian') -> float:
    """Return ``h(X + E) - h(X)`` in nats: what the noise adds to the entropy of the source.

    ``1/2 sum_i ln(1 + e / lam_i) - J(X + E)``; ``inf`` where an eigenvalue is 0 and ``e`` is not.
    Arguments and errors: see :func:`negentropy_gap`.
    """
    gap = negentropy_gap(eigenvalues, test_variance, noise)
    lam = checks.spectrum(np.atleast_1d(eigenvalues))
    with np.errstate(divide='ignore'):
        ratio = test_variance / lam if test_variance else np.zeros_like(lam)
    return 0.5 * float(np.log1p(ratio).sum()) - gap


def _gap(eigenvalue: float, e: float, noise: str) -> float:
    """Return ``J(X + E) = KL(X + E || the Gaussian of its variance)`` along one eigenvector."""
    if eigenvalue == 0:
        return negentropy(noise)
    ratio = e / eigenvalue
    noisy = gaussian(0.0, 1.0).with_noise(ratio, noise)
    grid = fitting_grid(*noisy.limits, noisy.finest, STEPS)
    return max(0.0, f_divergence('kl', noisy, gaussian(0.0, 1.0 + ratio), grid=grid))

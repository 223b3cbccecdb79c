"""The training noise level: average, minimax and clean-budget rules, break-even, random levels.

``s = sigma_t^2`` is the variance of the white training noise, ``e = sigma_e^2`` that of the
inference noise, which lies between 0 and ``lambda_max`` (the end of that range, no eigenvalue).
The source is Gaussian with eigenvalues ``lam_i``; divergences are in nats for all dimensions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.errors import ConfigError, DataError
from noiseedit.seeding import derive_seed
from noiseedit.theory import checks
from noiseedit.theory.checks import Array
from noiseedit.theory.mismatch import gaussian_kl, log1p_excess
from noiseedit.theory.noise_shape import find_root, least_divergence, positive_spectrum

NODES = 512  # inference levels that a mixture is integrated over


def average_variance(lambda_max: float) -> float:
    """Return ``lambda_max / 2``: least mean divergence for ``e`` uniform on [0, lambda_max].

    Exact for Gaussian sources of any spectrum and independent noise of any law, since
    ``d rho / ds = 1/2 sum_i (s - e) / (lam_i + s)^2``; for another prior it is the mean of ``e``.

    Raises:
        ConfigError: If ``lambda_max`` is negative or not finite.
    """
    return checks.number('lambda_max', lambda_max) / 2


def minimax_variance(
    eigenvalues: ArrayLike,
    lambda_max: float,
    *,
    entropy_gain: float | None = None,
    noise_energy: ArrayLike | None = None,
) -> float:
    """Return the training variance with the least worst case over 0 <= e <= lambda_max.

    Divergence is convex in ``e``, so that the worst case is clean or strongest: both are equal at
    the root of ``sum_i M / (lam_i + s) = sum_i ln(1 + M / lam_i)``, which lies in [0, M / 2]. For
    noise that is not Gaussian the right side is ``2 [h(X + E_M) - h(X)]``; for coloured noise
    ``a_i`` takes the place of ``M``. If the strongest noise is worse at every level, the level that
    suits it best.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        lambda_max: ``M``, the largest variance of the inference noise.
        entropy_gain: ``h(X + E_M) - h(X)`` in nats for all dimensions, between 0 and that of
            Gaussian noise, which ``None`` means; see :func:`~noiseedit.theory.entropy_gain`.
        noise_energy: ``a_i`` of the strongest noise, shape ``(d,)``, each > ``-lam_i`` (below 0
            where the noise takes energy away); ``None``: white, ``M`` everywhere.

    Raises:
        DataError: If eigenvalues or energies are not as said.
        ConfigError: If a number is negative, not finite, or a gain larger than possible.
    """
    lam, energy = _energy(eigenvalues, lambda_max, noise_energy)
    if not energy.any():
        return 0.0
    ratio = energy / lam
    lost, best = 2 * _negentropy(ratio, entropy_gain), least_divergence(lam, energy)
    weak, excess, growth = ratio < 1, log1p_excess(ratio), np.log1p(ratio)

    def gap(s: float) -> float:  # 2 [rho(s, M) - rho(s, 0)], in the form that keeps the digits
        terms = np.where(weak, excess - s * (ratio / (lam + s)), energy / (lam + s) - growth)
        return lost + float(terms.sum())

    return best if gap(best) >= 0 else find_root(gap, 0.0, best)


def break_even_variance(eigenvalues: ArrayLike, train_variance: float) -> float:
    """Return the inference variance above which training with noise beats training without.

    ``e_be = sum_i [ln(1 + s/lam_i) - s/(lam_i + s)] / sum_i s / [lam_i (lam_i + s)] <= s / 2`` for
    independent noise of any law; ``s / 2`` is its limit for small ``s``, 0 for ``s = 0``.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        train_variance: ``s``.

    Raises:
        DataError: If an eigenvalue is not positive and finite.
        ConfigError: If ``train_variance`` is negative or not finite.
    """
    lam = positive_spectrum(eigenvalues)
    s = checks.number('train_variance', train_variance)
    if s == 0:
        return 0.0
    t = _finite_ratio('train_variance', s, lam)
    share = t / (1 + t)
    loss = np.where(t < 1, t * share - log1p_excess(t), np.log1p(t) - share)
    return float(np.sum(loss) / np.sum(share / lam))


def clean_variance(eigenvalues: ArrayLike, budget: float) -> float:
    """Return the largest training variance that costs clean inputs at most ``budget``.

    The root of ``rho_g(s, 0) / d = budget``; ``rho_g(s, 0)`` grows with ``s`` without bound.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        budget: Nats per dimension, >= 0.

    Returns:
        The variance; ``inf`` if it is too large for a float.

    Raises:
        DataError: If an eigenvalue is not positive and finite.
        ConfigError: If ``budget`` is negative or not finite.
    """
    lam = positive_spectrum(eigenvalues)
    allowed = checks.number('budget', budget) * lam.size
    if allowed == 0:
        return 0.0

    def overdraft(s: float) -> float:
        return gaussian_kl(lam, s, 0.0) - allowed

    low, high = 0.0, float(lam.min())
    while overdraft(high) < 0:
        low, high = high, 4 * high
        if high > 1e300:
            return math.inf
    return find_root(overdraft, low, high)


def average_kl(
    eigenvalues: ArrayLike,
    train_variance: float,
    lambda_max: float,
    *,
    noise_energy: ArrayLike | None = None,
) -> float:
    """Return the mean of ``rho_g`` in nats over ``e`` uniform on [0, lambda_max].

    ``1/2 sum_i {(lam_i + M/2) / (lam_i + s) - 1 + ln(lam_i + s)
    - [(lam_i + M) ln(lam_i + M) - lam_i ln lam_i - M] / M}``.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        train_variance: ``s``.
        lambda_max: ``M``; 0 gives ``rho_g(s, 0)``.
        noise_energy: See :func:`minimax_variance`.

    Raises:
        DataError: If eigenvalues or energies are not as said.
        ConfigError: If a variance is negative or not finite.
    """
    lam, energy = _energy(eigenvalues, lambda_max, noise_energy)
    return average_matched_kl(lam, train_variance, lam, lam + energy)


def average_matched_kl(
    eigenvalues: ArrayLike, train_variance: float, low: ArrayLike, high: ArrayLike
) -> float:
    """Return the mean of ``matched_kl`` while the second moments move evenly from low to high.

    ``1/2 sum_i {(low_i + high_i) / [2 (lam_i + s)] - 1 + ln(lam_i + s) - mean of ln c_i}``.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        train_variance: ``s``.
        low: ``c_i`` at one end, shape ``(d,)``, all > 0.
        high: ``c_i`` at the other end.

    Raises:
        DataError: If an array is not as said.
        ConfigError: If ``train_variance`` is negative or not finite.
    """
    lam = positive_spectrum(eigenvalues)
    train = lam + checks.number('train_variance', train_variance)
    start, end = (checks.vector('second_moments', ends, lam.size) for ends in (low, high))
    if min(start.min(), end.min()) <= 0:
        raise DataError('second_moments: expected all > 0')
    middle, log_ratio = (start + end) / 2, np.log(train / start)
    return float(0.5 * np.sum(middle / train - 1 + log_ratio - _mean_log1p((end - start) / start)))


def random_level_information(
    eigenvalues: ArrayLike, lambda_max: float, *, samples: int = 20_000, seed: int = 0
) -> tuple[float, float]:
    """Return the mean divergence that is left when the training level is random, with its error.

    Training with ``sigma_t^2`` drawn per image from the law of ``sigma_e^2``, uniform on
    [0, lambda_max], leaves ``E_e KL(p_e || mixture) = I(sigma_e^2; Xhat)``, never more than the
    best single level. Monte Carlo over (e, Xhat); the mixture by quadrature over levels.

    Args:
        eigenvalues: ``lam_i`` of the source covariance, shape ``(d,)``, all > 0.
        lambda_max: ``M > 0``.
        samples: Number of draws, at least 2.
        seed: Determines the draws.

    Returns:
        Estimate and standard error, in nats for all dimensions.

    Raises:
        DataError: If an eigenvalue is not positive and finite.
        ConfigError: If ``lambda_max`` or ``samples`` is too small.
    """
    lam = positive_spectrum(eigenvalues)
    top = checks.number('lambda_max', lambda_max, exclusive=True)
    count = checks.whole('samples', samples, low=2)
    random = np.random.default_rng(derive_seed(seed, 'eval', 'random_level', count))
    levels = random.uniform(0.0, top, count)
    squares = random.standard_normal((count, lam.size)) ** 2 * (lam + levels[:, None])
    own = _log_density(squares, lam + levels[:, None])
    gains = own - _log_mixture(squares, lam, top)
    return float(gains.mean()), float(gains.std(ddof=1) / math.sqrt(count))


def _log_mixture(squares: Array, lam: Array, top: float) -> Array:
    """Return ``ln 1/M int_0^M N(x; 0, lam + e) de`` by Gauss-Legendre, evenly in ``ln(e + lam)``.

    The logarithm starts from the smallest eigenvalue: where the integrand varies fastest.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    start = float(lam.min())
    span = math.log1p(top / start)
    shifted = start * np.exp(span * (nodes + 1) / 2)
    log_weights = np.log(weights * span / 2 * shifted / top)
    inverse = 1 / (lam + (shifted - start)[:, None])
    logs = -0.5 * (squares @ inverse.T) + 0.5 * np.log(inverse).sum(axis=1) + log_weights
    peak = logs.max(axis=1)
    return peak + np.log(np.exp(logs - peak[:, None]).sum(axis=1))


def _log_density(squares: Array, variances: Array) -> Array:
    """Return ``ln N(x; 0, variances)`` but for ``d/2 ln(2 pi)``."""
    return -0.5 * np.sum(squares / variances + np.log(variances), axis=1)


def _energy(
    eigenvalues: ArrayLike, lambda_max: float, noise_energy: ArrayLike | None
) -> tuple[Array, Array]:
    lam = positive_spectrum(eigenvalues)
    top = checks.number('lambda_max', lambda_max)
    if noise_energy is None:
        _finite_ratio('lambda_max', top, lam)
        return lam, np.full_like(lam, top)
    energy = checks.vector('noise_energy', noise_energy, lam.size)
    if np.any(energy <= -lam):
        index = int(np.argmax(energy <= -lam))
        raise DataError(
            f'noise_energy: expected more than -eigenvalue, got {energy[index]} at index {index}'
        )
    return lam, energy


def _finite_ratio(name: str, variance: float, lam: Array) -> Array:
    with np.errstate(over='ignore'):
        ratio = variance / lam
    if not np.isfinite(ratio).all():
        raise ConfigError(f'{name}: {variance:g} is too large against eigenvalue {lam.min():g}')
    return ratio


def _negentropy(ratio: Array, entropy_gain: float | None) -> float:
    """Return how much entropy Gaussian noise of the same variances would add more, in nats."""
    if entropy_gain is None:
        return 0.0
    gaussian = 0.5 * float(np.log1p(ratio).sum())
    gain = checks.number('entropy_gain', entropy_gain)
    if gain > gaussian * (1 + 1e-9):
        raise ConfigError(
            f'entropy_gain: expected at most {gaussian:.6g} nats (Gaussian noise), got {gain!r}'
        )
    return max(0.0, gaussian - gain)


def _mean_log1p(x: Array) -> Array:
    """Return the mean of ``ln(1 + t)`` over t between 0 and x > -1."""
    ratio = np.divide(log1p_excess(x), x, out=np.zeros_like(x), where=x != 0)
    return np.log1p(x) - ratio

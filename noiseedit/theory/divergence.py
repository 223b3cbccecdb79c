"""f-divergences between 1-D laws, and how noise on both shrinks them (Theorem 1).

With Gaussian noise of variance ``s`` on both laws, ``d/ds D_f = -eta_f / 2``, where
``eta_f = E_P[r f''(r) (d/dx ln p - d/dx ln q)^2]`` and ``r = p/q``. See
:mod:`noiseedit.theory.generators` for the divergences, :mod:`noiseedit.theory.monte_carlo` for any
dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple, TypeAlias

import numpy as np

from noiseedit.errors import ConfigError
from noiseedit.theory import checks, generators, quadrature
from noiseedit.theory.checks import Array
from noiseedit.theory.laws import GaussianMixture, LabelledLaw
from noiseedit.theory.quadrature import Grid

Law: TypeAlias = GaussianMixture | LabelledLaw
Integrand: TypeAlias = Callable[[Array, Array], Array]

TIE = 1e-12  # relative difference of tail coefficients that counts as none
EDGE = 1e-9  # share of the largest value that an integrand may have where a grid ends
TOLERANCE = 1e-10  # of the integral over noise levels


class DivergenceBalance(NamedTuple):
    """Theorem 1 integrated: ``clean = noisy + integral``, and ``noisy + first_order`` is near it.

    Attributes:
        clean: ``D_f(P||Q)`` without noise.
        noisy: ``D_f`` of the laws with noise of variance ``s``.
        integral: ``1/2 int_0^s eta_f(u) du``.
        first_order: ``s/2 eta_f(s)``, the paper's first-order form of the integral.
    """

    clean: float
    noisy: float
    integral: float
    first_order: float


def f_divergence(name: str, p: Law, q: Law, *, grid: Grid | None = None) -> float:
    """Return ``D_f(P||Q) = int q f(p/q)`` in nats (chi2, hellinger: without unit).

    Args:
        name: ``'kl'``, ``'reverse_kl'``, ``'chi2'``, ``'js'`` or ``'hellinger'`` (squared).
        p: The law P, plain or with labels.
        q: The law Q, of the same kind; labels are summed over.
        grid: (low, high, points) for Simpson's rule. ``None``: every interval where the integrand
            is not negligible (densities down to ``exp(-64)``), with 64 steps to the standard
            deviation of the narrowest Gaussian. A grid of your own must resolve it likewise.

    Returns:
        The divergence; ``inf`` where it is: chi2 if Q's tails fall too fast (Gaussian laws: Q's
        variance at most half of P's), or laws that put mass on different labels.

    Raises:
        UnknownNameError: If there is no such divergence; lists the nearest.
        ConfigError: For total variation, for laws of different kinds, and for a given grid that
            is too coarse for the narrowest Gaussian or ends where the integrand has not died away.
        DataError: If the laws' widths are too far apart for an even grid.
    """
    generator = generators.find(name)
    total = 0.0
    for log_p, first, log_q, second in _pairs(p, q):
        if first is None or second is None:
            total += _one_sided(generator, log_p, log_q)
        elif generator.square and not _tails_allow_chi2(first, second, growth=0):
            return math.inf
        else:
            x = _abscissae(generator, first, second, grid)
            logs = log_p + first.log_density(x), log_q + second.log_density(x)
            total += _integral(generator.integrand(*logs), x, given=grid is not None)
    return total


def eta(name: str, p: Law, q: Law, *, grid: Grid | None = None) -> float:
    """Return ``eta_f = E_P[r f''(r) (d/dx ln p - d/dx ln q)^2]``, equation (2).

    Gradients are with respect to ``x`` alone; labels are summed over. Arguments and errors are
    those of :func:`f_divergence`; ``inf`` where the divergence or the integral is infinite.
    """
    generator = generators.find(name)
    total = 0.0
    for log_p, first, log_q, second in _pairs(p, q):
        if first is None or second is None:
            total += math.inf if math.isinf(_one_sided(generator, log_p, log_q)) else 0.0
        elif generator.square and not _tails_allow_chi2(first, second, growth=2):
            return math.inf
        else:
            x = _abscissae(generator, first, second, grid)
            logs = log_p + first.log_density(x), log_q + second.log_density(x)
            squares = (first.score(x) - second.score(x)) ** 2
            values = np.exp(generator.log_weight(*logs)) * squares
            total += _integral(values, x, given=grid is not None)
    return total


def divergence_derivative(
    name: str, p: Law, q: Law, variance: float = 0.0, *, grid: Grid | None = None
) -> float:
    """Return ``d/ds D_f`` at noise variance ``s = variance`` on both laws: ``-eta_f / 2``.

    Theorem 1, equation (1). Other arguments and errors: see :func:`f_divergence`.
    """
    noisy = p.with_noise(variance), q.with_noise(variance)
    return -0.5 * eta(name, *noisy, grid=grid)


def divergence_balance(
    name: str, p: Law, q: Law, train_variance: float, *, grid: Grid | None = None
) -> DivergenceBalance:
    """Return both sides of ``D_f(P||Q) = D_f(noisy P||noisy Q) + 1/2 int_0^s eta_f(u) du``.

    Each term is computed on its own, the integral over ``u`` by adaptive quadrature; also the
    first-order form ``s/2 eta_f(s)``. Where the clean divergence is infinite, so is the integral.

    Args:
        name: See :func:`f_divergence`; so are ``p``, ``q`` and ``grid``.
        p: The law P.
        q: The law Q.
        train_variance: ``s``, the variance of the noise on both laws.
        grid: See :func:`f_divergence`.

    Raises:
        ConfigError: If ``train_variance`` is negative; else see :func:`f_divergence`.
    """
    from scipy.integrate import quad

    s = checks.number('train_variance', train_variance)
    clean = f_divergence(name, p, q, grid=grid)
    noisy = f_divergence(name, p.with_noise(s), q.with_noise(s), grid=grid)
    slope = -divergence_derivative(name, p, q, s, grid=grid)
    if math.isinf(clean):
        return DivergenceBalance(clean, noisy, math.inf, s * slope)
    integral, _ = quad(
        lambda u: -divergence_derivative(name, p, q, u, grid=grid), 0.0, s, epsrel=TOLERANCE
    )
    return DivergenceBalance(clean, noisy, float(integral), s * slope)


Pair: TypeAlias = tuple[float, GaussianMixture | None, float, GaussianMixture | None]


def _pairs(p: Law, q: Law) -> Iterable[Pair]:
    """Yield (ln P(y), law of P given y, ln Q(y), law of Q given y); no law: no mass."""
    if isinstance(p, GaussianMixture) and isinstance(q, GaussianMixture):
        return [(0.0, p, 0.0, q)]
    if not (isinstance(p, LabelledLaw) and isinstance(q, LabelledLaw)):
        kinds = f'{type(p).__name__} and {type(q).__name__}'
        raise ConfigError(f'expected two GaussianMixture or two LabelledLaw, got {kinds}')
    return [(*_part(p, y), *_part(q, y)) for y in {**p.parts, **q.parts}]


def _part(law: LabelledLaw, label: Hashable) -> tuple[float, GaussianMixture | None]:
    share, given = law.parts.get(label, (0.0, None))
    return (math.log(share) if share else -math.inf), given


def _one_sided(generator: generators.Generator, log_p: float, log_q: float) -> float:
    """Return what the mass of a label costs that only one law has."""
    cost = generator.only_p if log_q == -math.inf else generator.only_q
    return cost * math.exp(max(log_p, log_q)) if cost else 0.0


def _tails_allow_chi2(p: GaussianMixture, q: GaussianMixture, growth: int) -> bool:
    """Tell whether ``int p^2/q |x|^growth`` is finite on both sides (growth where tails tie)."""
    for side in (1, -1):
        quadratic, linear, power = _square_over(p, q, side)
        if quadratic < 0 or (quadratic == 0 and linear > 0):
            return False
        if quadratic == 0 and linear == 0 and power - growth <= 1:
            return False
    return True


def _square_over(p: GaussianMixture, q: GaussianMixture, side: int) -> tuple[float, float, float]:
    """Return how ``2 ln p - ln q`` falls; differences within rounding are none."""
    both = zip(p.tail(side), q.tail(side), strict=True)
    quadratic, linear, power = (
        0.0 if math.isclose(2 * a, b, rel_tol=TIE, abs_tol=0.0) else 2 * a - b for a, b in both
    )
    return quadratic, linear, power


def _abscissae(
    generator: generators.Generator, p: GaussianMixture, q: GaussianMixture, grid: Grid | None
) -> Array:
    finest = min(p.finest, q.finest)
    if grid is not None:
        return quadrature.points(grid, finest)
    low, high = min(p.limits[0], q.limits[0]), max(p.limits[1], q.limits[1])
    if generator.square:
        high = max(high, _chi2_reach(p, q, 1))
        low = min(low, -_chi2_reach(p, q, -1))
    return quadrature.points(quadrature.fitting_grid(low, high, finest), finest)


def _chi2_reach(p: GaussianMixture, q: GaussianMixture, side: int) -> float:
    """Return where ``p^2/q`` has fallen by ``exp(-64)`` in its tail: further than P and Q may."""
    quadratic, linear, _ = _square_over(p, q, side)
    if quadratic == 0:
        return quadrature.DROP / -linear if linear else 0.0
    return (linear + math.sqrt(linear**2 + 4 * quadratic * quadrature.DROP)) / (2 * quadratic)


def _integral(values: Array, x: Array, *, given: bool) -> float:
    if given:
        edge, most = max(abs(values[0]), abs(values[-1])), float(np.max(np.abs(values)))
        if not edge <= EDGE * most:
            raise ConfigError(
                f'grid: expected an integrand that has died away at {x[0]:g} and {x[-1]:g}, '
                f'got {edge:.3g} there against {most:.3g} at most; widen the grid'
            )
    return quadrature.integrate(values, x)

"""One-dimensional laws with exact densities: Gaussian mixtures, noise added, labels attached."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory import checks, components, quadrature
from noiseedit.theory.checks import Array
from noiseedit.theory.components import Tail
from noiseedit.theory.quadrature import fitting_grid

SUM_TOLERANCE = 1e-9


@dataclass(frozen=True)
class GaussianMixture:
    """The law ``sum_k w_k N(m_k, c_k)``, and of it with independent zero-mean noise added.

    Args:
        weights: ``w_k`` > 0, adding up to 1; shape ``(k,)``.
        means: ``m_k``.
        variances: ``c_k`` > 0.
        noise: Law of the added noise: ``'gaussian'``, ``'uniform'`` or ``'laplace'``.
        noise_variance: Its variance >= 0. Gaussian noise goes into ``variances`` at once, so that
            a law keeps at most one noise of another kind.

    Raises:
        DataError: If weights, means and variances are not as said.
        ConfigError: If the noise's variance is negative or not finite.
        UnknownNameError: If there is no such noise.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]
    variances: tuple[float, ...]
    noise: str = 'gaussian'
    noise_variance: float = 0.0

    def __post_init__(self) -> None:
        components.check_noise(self.noise)
        added = checks.number('noise_variance', self.noise_variance)
        weights = _shares('weights', self.weights)
        means = checks.vector('means', self.means, weights.size)
        variances = _positive('variances', self.variances, weights.size)
        if self.noise == 'gaussian' or added == 0:
            variances, added = variances + added, 0.0
        self._set('noise', self.noise if added else 'gaussian')
        self._set('noise_variance', added)
        for name, values in (('weights', weights), ('means', means), ('variances', variances)):
            self._set(name, tuple(values.tolist()))

    def with_noise(self, variance: float, noise: str = 'gaussian') -> GaussianMixture:
        """Return the law of ``X + E``, ``E`` independent with mean 0; variance 0 gives ``X``.

        Raises:
            ConfigError: If the variance is not finite or negative, or if noise that is not
                Gaussian were to be added a second time.
            UnknownNameError: If there is no such noise.
        """
        added = checks.number('variance', variance)
        if components.check_noise(noise) == 'gaussian' or added == 0:
            return replace(self, variances=tuple(c + added for c in self.variances))
        if self.noise_variance:
            raise ConfigError(
                f'with_noise: expected a law with Gaussian noise only, got one with {self.noise} '
                f'noise, to which {noise} noise cannot be added; add Gaussian noise instead'
            )
        return replace(self, noise=noise, noise_variance=added)

    def log_density(self, x: ArrayLike) -> Array:
        """Return ``ln p(x)``, of the shape of ``x``, exact far into the tails."""
        return np.logaddexp.reduce(self._log_parts(_real(x)))

    def score(self, x: ArrayLike) -> Array:
        """Return ``d/dx ln p(x)`` in closed form, of the shape of ``x``."""
        at = _real(x)
        parts = self._log_parts(at)
        shares = np.exp(parts - np.logaddexp.reduce(parts))
        rows = zip(self.means, self.variances, strict=True)
        scores = [components.score(at - m, c, *self._added) for m, c in rows]
        return np.sum(shares * np.array(scores), axis=0)

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """Return ``count`` independent draws, shape ``(count,)``."""
        count = checks.whole('count', count, low=0)
        which = rng.choice(len(self.weights), size=count, p=self.weights)
        deviations = np.sqrt(self.variances)[which]
        drawn = np.asarray(self.means)[which] + deviations * rng.standard_normal(count)
        width = components.scale(*self._added)
        if self.noise == 'uniform':
            return drawn + rng.uniform(-width, width, count)
        return drawn + rng.laplace(0.0, width, count) if self.noise == 'laplace' else drawn

    @property
    def mean(self) -> float:
        """Mean of the law."""
        return float(np.dot(self.weights, self.means))

    @property
    def variance(self) -> float:
        """Variance of the law, noise included."""
        spread = np.asarray(self.variances) + (np.asarray(self.means) - self.mean) ** 2
        return float(np.dot(self.weights, spread)) + self.noise_variance

    @property
    def finest(self) -> float:
        """Standard deviation of the narrowest Gaussian: the scale a grid must resolve."""
        return math.sqrt(min(self.variances))

    @property
    def limits(self) -> tuple[float, float]:
        """Interval outside which the density is below ``exp(-64)`` of its parts' peaks."""
        reach = [components.reach(c, *self._added, quadrature.DROP) for c in self.variances]
        ends = [(m - r, m + r) for m, r in zip(self.means, reach, strict=True)]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def tail(self, side: int) -> Tail:
        """Return how ``ln p`` falls towards ``side * infinity``; the slowest part decides."""
        rows = zip(self.means, self.variances, strict=True)
        tails = [components.tail(m, c, *self._added, side) for m, c in rows]
        return min(tails, key=lambda t: (t.quadratic, -t.linear, t.power))

    def entropy(self, grid: quadrature.Grid | None = None) -> float:
        """Return the differential entropy ``-E[ln p(X)]`` in nats, by Simpson's rule.

        Args:
            grid: (low, high, points); ``None``: where the density is not negligible, with 64
                steps to the narrowest Gaussian's standard deviation.
        """
        x = quadrature.points(grid or fitting_grid(*self.limits, self.finest), self.finest)
        logs = self.log_density(x)
        return -quadrature.integrate(np.exp(logs) * logs, x)

    @property
    def _added(self) -> tuple[str, float]:
        return self.noise, self.noise_variance

    def _log_parts(self, x: Array) -> Array:
        rows = zip(self.weights, self.means, self.variances, strict=True)
        parts = [math.log(w) + components.log_density(x - m, c, *self._added) for w, m, c in rows]
        return np.array(parts)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


def gaussian(mean: float, variance: float) -> GaussianMixture:
    """Return the law N(mean, variance)."""
    return GaussianMixture((1.0,), (mean,), (variance,))


@dataclass(frozen=True)
class LabelledLaw:
    """The joint law of a real ``X`` and a label ``Y``: ``P(y) p(x | y)``.

    Args:
        parts: Label -> (probability > 0, law of ``X`` given the label); probabilities add up to 1.
    """

    parts: Mapping[Hashable, tuple[float, GaussianMixture]]

    def __post_init__(self) -> None:
        _shares('probabilities', [probability for probability, _ in self.parts.values()])

    def with_noise(self, variance: float, noise: str = 'gaussian') -> LabelledLaw:
        """Return the law of ``(X + E, Y)``: noise goes on ``X`` alone."""
        noisy = {y: (share, law.with_noise(variance, noise)) for y, (share, law) in self._items()}
        return LabelledLaw(noisy)

    def log_density(self, x: ArrayLike, label: Hashable) -> Array:
        """Return ``ln P(label) p(x | label)``."""
        share, law = self._part(label)
        return math.log(share) + law.log_density(x)

    def score(self, x: ArrayLike, label: Hashable) -> Array:
        """Return ``d/dx ln p(x, label)``: with respect to ``x`` only."""
        return self._part(label)[1].score(x)

    def sample(self, count: int, rng: np.random.Generator) -> tuple[Array, list[Hashable]]:
        """Return ``count`` draws of ``X``, shape ``(count,)``, and their labels."""
        count, labels = checks.whole('count', count, low=0), list(self.parts)
        which = rng.choice(len(labels), size=count, p=[self.parts[y][0] for y in labels])
        drawn = np.empty(count)
        for index, label in enumerate(labels):
            chosen = which == index
            drawn[chosen] = self.parts[label][1].sample(int(chosen.sum()), rng)
        return drawn, [labels[index] for index in which]

    def _items(self) -> Iterable[tuple[Hashable, tuple[float, GaussianMixture]]]:
        return self.parts.items()

    def _part(self, label: Hashable) -> tuple[float, GaussianMixture]:
        if label not in self.parts:
            raise DataError(f'label: expected one of {list(self.parts)}, got {label!r}')
        return self.parts[label]


def _shares(name: str, values: Iterable[float]) -> Array:
    found = _positive(name, list(values))
    if abs(found.sum() - 1) > SUM_TOLERANCE:
        raise DataError(f'{name}: expected numbers that add up to 1, got a sum of {found.sum():g}')
    return found


def _positive(name: str, values: ArrayLike, size: int | None = None) -> Array:
    found = checks.variances(name, values, size)
    if np.any(found == 0):
        raise DataError(f'{name}: expected all > 0, got 0 at index {int(np.argmin(found))}')
    return found


def _real(x: ArrayLike) -> Array:
    return np.asarray(x, dtype=np.float64)

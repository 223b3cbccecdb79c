"""What the network meets at test: levels of the noise, how likely, and their second moments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from noiseedit.theory import average_matched_kl, break_even_variance, matched_kl
from noiseedit.theory.checks import Array
from noiseedit.theory.noise_shape import moments_at

LEVELS = 6  # of the table, from clean to the strongest


@dataclass(frozen=True, eq=False)
class TestInputs:
    """Inputs at test, in the eigenbasis of the source; between levels they move evenly.

    Attributes:
        eigenvalues: ``lam_i`` of the clean inputs, shape ``(d,)``.
        levels: Variances of the noise, ascending from 0, shape ``(k,)``, evenly spaced.
        moments: ``c_i`` at every level, shape ``(k, d)``; white noise: ``lam_i + level``.
        estimates: Variance of every deployment image, which are then equally likely; ``None``: all
            variances between the first and the last level are.
        white: Whether the noise is independent of image, pixel and channel.
    """

    __test__ = False  # no test class for pytest

    eigenvalues: Array
    levels: Array
    moments: Array
    estimates: Array | None = None
    white: bool = True

    def at(self, variance: float) -> Array:
        """Return ``c_i`` at a level; beyond the last one on the same line."""
        return moments_at(self.levels, self.moments, variance)

    @cached_property
    def mean_variance(self) -> float:
        """``E[sigma_e^2]``."""
        return float(self.levels.mean() if self.estimates is None else self.estimates.mean())

    @cached_property
    def mean_moments(self) -> Array:
        """``E[c_i]``: the training level with the least mean divergence depends on it alone."""
        if self.estimates is not None:
            return np.mean([self.at(e) for e in self.estimates], axis=0)
        halves = (self.moments[:-1] + self.moments[1:]) / 2
        return halves.mean(axis=0) if len(halves) else self.moments[0]

    @property
    def noise_energy(self) -> Array:
        """``c_i - lam_i`` of the strongest noise."""
        return self.moments[-1] - self.eigenvalues

    def kl(self, train_variance: float) -> list[float]:
        """Return the divergence at every level, in nats per dimension."""
        return [self._kl(train_variance, c) for c in self.moments]

    def _kl(self, train_variance: float, moments: Array) -> float:
        return matched_kl(self.eigenvalues, train_variance, moments) / self.eigenvalues.size

    def average_kl(self, train_variance: float) -> float:
        """Return the mean divergence, in nats per dimension."""
        if self.estimates is not None:
            return float(np.mean([self._kl(train_variance, self.at(e)) for e in self.estimates]))
        ends = zip(self.moments[:-1], self.moments[1:], strict=True)
        lam = self.eigenvalues
        means = [average_matched_kl(lam, train_variance, low, high) for low, high in ends]
        return float(np.mean(means)) / lam.size if means else self._kl(train_variance, lam)

    def break_even(self, train_variance: float) -> float | None:
        """Return the level above which training with noise beats training without.

        ``None``: for noise that is not white, none up to the strongest level.
        """
        if self.white or len(self.levels) == 1:
            return break_even_variance(self.eigenvalues, train_variance)
        loss = [self._loss(train_variance, c) for c in self.moments]
        return _falls_to_zero(self.levels, np.array(loss))

    def _loss(self, s: float, moments: Array) -> float:
        """Return ``2 [rho(s) - rho(0)]``, which is linear in the moments."""
        lam = self.eigenvalues
        return float(np.sum(np.log1p(s / lam) - moments * s / (lam * (lam + s))))


def _falls_to_zero(levels: Array, losses: Array) -> float | None:
    """Return where the line through the points first reaches 0 from above, if it does."""
    below = np.flatnonzero(losses <= 0)
    if not below.size:
        return None
    k = int(below[0])
    if k == 0:
        return float(levels[0])
    share = losses[k - 1] / (losses[k - 1] - losses[k])
    return float(levels[k - 1] + share * (levels[k] - levels[k - 1]))

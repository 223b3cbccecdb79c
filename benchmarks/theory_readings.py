"""How measured quality over training and test noise is read against the divergence of theory.

Pure functions over tables of shape ``(train, test)``: rows are networks, one per variance of their
training noise (ascending, the first is 0: clean), columns are variances of test noise. Quality is
higher where better. A reading is NaN where it has nothing to compare.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from noiseedit.evaluation.statistics import area, break_even

Array = NDArray[np.float64]
Reading = Callable[[Array, Array, Array], Array]


class Rank(NamedTuple):
    """Spearman's rank correlation and the number of values it is over."""

    correlation: float
    n: int


def quality_table(results: Sequence[Mapping[str, Any]], noise: str, metric: str) -> Array:
    """Return the mean over images, higher is better, shape ``(train, test)``, levels ascending.

    Args:
        results: One sweep per network, see :func:`noiseedit.evaluation.results.make_result`.
        noise: Label of the noise.
        metric: Name of the metric.
    """
    directions = {entry['name']: entry['higher_is_better'] for entry in results[0]['metrics']}
    sign = 1 if directions[metric] else -1
    curves = []
    for result in results:
        rows = [r for r in result['rows'] if r['noise'] == noise and r['metric'] == metric]
        curves.append([sign * row['mean'] for row in sorted(rows, key=lambda row: row['level'])])
    return np.array(curves)


# Readings: what is lost, (train, test).


def against_matched(train: Array, test: Array, quality: Array) -> Array:
    """Return the loss against the network trained at the test level; NaN elsewhere and for it.

    0 by definition where the two variances agree, as the divergence is.
    """
    table = np.full_like(quality, np.nan)
    for row, variance in enumerate(train):
        for column in np.flatnonzero(np.isclose(test, variance)):
            table[:, column] = quality[row, column] - quality[:, column]
            table[row, column] = np.nan
    return table


def against_best(train: Array, test: Array, quality: Array) -> Array:
    """Return the loss against the best of the networks at that test level."""
    return quality.max(axis=0) - quality


def against_own_level(train: Array, test: Array, quality: Array) -> Array:
    """Return the loss against the same network at its training level, linear in between."""
    table = np.array([np.interp(s, test, row) - row for s, row in zip(train, quality, strict=True)])
    table[np.isclose(train[:, None], test)] = np.nan
    return table


def against_own_clean(train: Array, test: Array, quality: Array) -> Array:
    """Return the loss against the same network on clean images (the first test level)."""
    table = quality[:, :1] - quality
    table[:, 0] = np.nan
    return table


READINGS: dict[str, Reading] = {
    'network trained at that level': against_matched,
    'best network at that level': against_best,
    'same network at its training level': against_own_level,
    'same network on clean images': against_own_clean,
}
"""What the loss is counted from; the first is the one that theory speaks of."""
MAIN = next(iter(READINGS))


# Predictors.


def sigma_distance(train: Array, test: Array) -> Array:
    """Return ``|sigma_t - sigma_e|``: a predictor that knows no photograph, to compare with."""
    return np.abs(np.sqrt(train)[:, None] - np.sqrt(test))


# Agreement.


def rank_correlation(predicted: Array, measured: Array) -> Rank:
    """Return Spearman's rank correlation over all entries that are finite in both."""
    both = np.isfinite(predicted) & np.isfinite(measured)
    return Rank(_spearman(predicted[both], measured[both]), int(both.sum()))


def order_agreement(predicted: Array, measured: Array) -> Rank:
    """Return how well theory orders the networks: per test level, then the mean over levels."""
    columns = zip(predicted.T, measured.T, strict=True)
    ranks = [_spearman(a, b) for a, b in columns]
    return Rank(float(np.mean(ranks)), len(ranks))


def _spearman(a: Array, b: Array) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # constant values: NaN says it
        return float(spearmanr(a, b).statistic)


def break_evens(test: Array, quality: Array) -> list[float | None]:
    """Return where each noise-trained network meets the clean-trained one; ``None``: nowhere."""
    return [break_even(test, quality[0], row) for row in quality[1:]]


def grid_average(test: Array, table: Array) -> Array:
    """Return the mean of each row over a uniform test variance (trapezoids)."""
    return np.array([area(test, row) for row in table]) / (test[-1] - test[0])


def worst(table: Array) -> Array:
    """Return the largest entry of each row."""
    return table.max(axis=1)


def optima(train: Array, test: Array, quality: Array) -> dict[str, float]:
    """Return the training variance with the best mean, and the one with the least worst loss."""
    losses = against_best(train, test, quality)
    return {
        'average': float(train[np.argmin(grid_average(test, losses))]),
        'minimax': float(train[np.argmin(worst(losses))]),
    }

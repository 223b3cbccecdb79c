"""Values of sets in the result of a sweep: one per cell, so that repetitions give the interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from noiseedit.evaluation.metrics.set_metric import SetMetric, SetValue
from noiseedit.evaluation.statistics import Interval, deviation, t_interval

DRAWS = 'noise draws'
SetScores = Mapping[str, Mapping[str, SetValue]]
"""Identity of the cell -> {name: value}."""
Place = tuple[str, str, float | None]
"""Metric, noise, level."""


def set_entries(metrics: Sequence[SetMetric]) -> list[dict[str, Any]]:
    """Return what ``metrics`` of a result says about each value of each set metric."""
    return [
        {'name': name, 'higher_is_better': metric.higher_is_better, 'of': 'set'}
        for metric in metrics
        for name in metric.value_names
    ]


def set_rows(cells: Sequence[Mapping[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Return one row per noise and level.

    ``mean`` is that over repetitions, with standard deviation over repetitions and the 95 %
    interval of the mean by Student's t. With one repetition there is no interval (NaN), and ``std``
    is that of the metric itself (NaN: it has none); ``over`` says which.

    Args:
        cells: Of a result, each with ``sets``.
        metric: Name of the value.
    """
    groups: dict[tuple[str, float | None], list[Mapping[str, Any]]] = {}
    for cell in cells:
        groups.setdefault((cell['noise'], cell['level']), []).append(cell['sets'][metric])
    return [
        {'metric': metric, 'noise': noise, 'level': level, **_spread(values)}
        for (noise, level), values in groups.items()
    ]


def _spread(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    numbers = [value['value'] for value in values]
    mean, low, high = t_interval(numbers)
    is_repeated = len(numbers) > 1
    std = deviation(numbers) if is_repeated else values[0]['std']
    over = DRAWS if is_repeated else values[0]['over']
    return {'mean': mean, 'std': std, 'low': low, 'high': high, 'n': values[0]['n'], 'over': over}


def set_values(result: Mapping[str, Any]) -> dict[Place, list[float]]:
    """Return (metric, noise, level) -> value per repetition; of a result without sets nothing."""
    found: dict[Place, list[float]] = {}
    for cell in result['cells']:
        for metric, value in cell.get('sets', {}).items():
            number = float('nan') if value['value'] is None else value['value']
            found.setdefault((metric, cell['noise'], cell['level']), []).append(number)
    return found


def set_gain(a: Sequence[float], b: Sequence[float], sign: int) -> Interval:
    """Return the gain of b over a; repetitions share their draws, so that they are paired.

    Without as many repetitions in both there are no pairs and no interval (NaN).
    """
    if len(a) == len(b):
        return t_interval([sign * (y - x) for x, y in zip(a, b, strict=True)])
    gain = sign * (sum(b) / len(b) - sum(a) / len(a))
    return Interval(gain, float('nan'), float('nan'))

"""What a study found: per model and metric the cost on clean images, per noise the gain.

Pure functions over results of sweeps (:mod:`noiseedit.evaluation.results`). A gain is positive
where the injected model is better, whatever the metric's direction. Each repetition of a sweep is
one draw of all noises, the same for both models, so differences are paired.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noiseedit.errors import DataError
from noiseedit.evaluation.comparison import compare
from noiseedit.evaluation.results import versions
from noiseedit.evaluation.statistics import area, break_even, t_interval
from noiseedit.evaluation.sweep import CLEAN

Result = Mapping[str, Any]
Pair = tuple[Result, Result]
Array = np.ndarray
FORMAT = 1

CROSSES = 'crosses'
AHEAD = 'ahead throughout'
BEHIND = 'behind throughout'
MIXED = 'mixed'


def summarise(pairs: Mapping[str, Pair]) -> dict[str, Any]:
    """Return what all models found.

    Args:
        pairs: Name of the model -> results of its baseline and of its injected variant.

    Returns:
        ``models`` (name, number of images, training noise, ``datasets`` of both variants),
        ``clean`` (per model and metric: both values and ``cost``, with the 95 % interval over
        images, of sets of images none), ``entries`` (per model, noise and metric; see
        :func:`entry`), ``versions``.

    Raises:
        DataError: If the two of a model differ in images, noises, levels or metrics.
    """
    models, clean, entries = [], [], []
    for name, (baseline, injected) in pairs.items():
        compared = compare(baseline, injected)['rows']
        _check_alike(name, baseline, injected)
        models.append(
            {
                'model': name,
                'images': len(baseline['images']),
                'train_noise': injected.get('train_noise'),
                'datasets': [result.get('dataset', {}) for result in (baseline, injected)],
            }
        )
        for metric in baseline['metrics']:
            rows = [row for row in compared if row['metric'] == metric['name']]
            clean.append({'model': name, **_clean(rows, metric)})
            entries += [
                {'model': name, **entry(baseline, injected, rows, metric, noise)}
                for noise in baseline['noises']
            ]
    return {
        'format': FORMAT, 'models': models, 'clean': clean, 'entries': entries,
        'versions': versions(),
    }  # fmt: skip


def _check_alike(name: str, baseline: Result, injected: Result) -> None:
    kinds = (
        ('metrics', lambda result: [metric['name'] for metric in result['metrics']]),
        ('noises', lambda result: [(n['label'], *n['levels']) for n in result['noises']]),
    )
    for kind, of in kinds:
        if of(baseline) != of(injected):
            raise DataError(
                f'{name}: baseline and injected have other {kind}: {of(baseline)} and '
                f'{of(injected)}; give the study metrics of its own, and sweep both alike'
            )


def _clean(rows: Sequence[Mapping[str, Any]], metric: Mapping[str, Any]) -> dict[str, Any]:
    """Return what noise injection costs on clean images; positive: the baseline is better."""
    (row,) = (row for row in rows if row['noise'] == CLEAN)
    return {
        'metric': metric['name'],
        'baseline': row['a'],
        'injected': row['b'],
        'cost': -row['gain'],
        'cost_low': -row['gain_high'],
        'cost_high': -row['gain_low'],
    }


def entry(
    baseline: Result,
    injected: Result,
    rows: Sequence[Mapping[str, Any]],
    metric: Mapping[str, Any],
    noise: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what one noise and one metric say of one model.

    Args:
        baseline: Its sweep.
        injected: Likewise.
        rows: Of their comparison, this metric's.
        metric: Of the result.
        noise: Likewise.

    Returns:
        ``levels`` with the mean ``gain`` at each and its interval over images (``gain_low``,
        ``gain_high``); ``area``: area under both curves and between them, mean over draws;
        ``mean_gain``: area between the curves divided by the range of levels, with
        the 95 % interval over draws of the noise; ``break_even``: the level from which the curves
        meet, likewise over the draws in which they do (``met`` of ``draws``); ``verdict``:
        ``'crosses'`` (the baseline is better at the lowest level, the injected model at the
        highest), ``'ahead throughout'``, ``'behind throughout'`` or ``'mixed'``.
    """
    label, sign = noise['label'], 1 if metric['higher_is_better'] else -1
    levels, low = draw_curves(baseline, label, metric['name'])
    _, high = draw_curves(injected, label, metric['name'])
    gains = sign * (high - low)
    at = {row['level']: row for row in rows if row['noise'] == label}
    names = ('gain', 'gain_low', 'gain_high')
    return {
        'metric': metric['name'],
        'noise': label,
        'draws': len(gains),
        'levels': levels,
        **{name: [at[level][name] for level in levels] for name in names},
        'area': {
            'baseline': _area(levels, low.mean(axis=0)),
            'injected': _area(levels, high.mean(axis=0)),
        },
        'mean_gain': _spread([average(levels, gain) for gain in gains]),
        'break_even': _meetings(levels, low, high),
        'verdict': verdict(gains.mean(axis=0)),
    }


def draw_curves(result: Result, noise: str, metric: str) -> tuple[list[float | None], Array]:
    """Return the levels of a noise, ascending, and the curve of each draw.

    Args:
        result: Of a sweep.
        noise: Label.
        metric: Name.

    Returns:
        Levels, and (draws, levels). A level that leaves images as they are has one draw, which
        serves all.
    """
    cells = {
        (cell['level'], cell['repetition']): _value(cell, metric)
        for cell in result['cells']
        if cell['noise'] == noise
    }
    levels = sorted({level for level, _ in cells}, key=lambda level: (level is not None, level))
    draws = 1 + max(draw for _, draw in cells)
    curves = [
        [cells.get((level, draw), cells[level, 0]) for level in levels] for draw in range(draws)
    ]
    return levels, np.array(curves, float)


def _value(cell: Mapping[str, Any], metric: str) -> float:
    """Return the value of a set of images, or the mean over images."""
    if metric in cell.get('sets', {}):
        value = cell['sets'][metric]['value']
        return math.nan if value is None else value
    values = [math.nan if value is None else value for value in cell['values'][metric]]
    return math.fsum(values) / len(values)


def average(levels: Sequence[float | None], values: Sequence[float]) -> float:
    """Return the mean of a curve over a uniform level (trapezoids); of one level its value."""
    if len(levels) == 1:
        return float(values[0])
    known = [level for level in levels if level is not None]
    return area(known, values) / (max(known) - min(known))


def _area(levels: Sequence[float | None], values: Sequence[float]) -> float | None:
    known = [level for level in levels if level is not None]
    return area(known, values) if len(known) > 1 else None


def _spread(values: Sequence[float]) -> dict[str, Any]:
    mean, low, high = t_interval(values)
    return {'mean': mean, 'low': low, 'high': high, 'values': list(values)}


def _meetings(levels: Sequence[float | None], low: Array, high: Array) -> dict[str, Any]:
    """Return where the curves of each draw meet."""
    known = [level for level in levels if level is not None]
    if len(known) < len(levels) or len(known) < 2:
        return {'mean': None, 'low': None, 'high': None, 'values': [], 'met': 0}
    found = [break_even(known, a, b) for a, b in zip(low, high, strict=True)]
    met = [level for level in found if level is not None]
    spread = _spread(met) if met else {'mean': None, 'low': None, 'high': None}
    return {**spread, 'values': found, 'met': len(met)}


def verdict(gains: Sequence[float]) -> str:
    """Return how the curve of gains runs from the lowest level to the highest."""
    if any(math.isnan(gain) for gain in gains):
        return MIXED
    if len(gains) > 1 and gains[0] < 0 < gains[-1]:
        return CROSSES
    if all(gain >= 0 for gain in gains):
        return AHEAD
    return BEHIND if all(gain <= 0 for gain in gains) else MIXED

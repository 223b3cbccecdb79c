"""Two sweeps side by side: gains with intervals of paired differences, break-even levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from noiseedit.errors import DataError
from noiseedit.evaluation.results import Row
from noiseedit.evaluation.set_results import set_gain, set_values
from noiseedit.evaluation.statistics import break_even, mean_interval


def compare(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Compare two sweeps of the same images, noises and metrics.

    Args:
        a: The baseline's result.
        b: The other's.

    Returns:
        ``rows``: noise, level, metric, means of both, ``gain`` of b over a (positive: b is better)
        with the 95 % interval of the mean paired difference (over images; of set metrics over
        repetitions, NaN with one); ``break_even``: noise, metric and the
        lowest level at which the curves meet (``None``: they do not).

    Raises:
        DataError: If the two have no images or no (noise, level, metric) in common.
    """
    if a['images'] != b['images']:
        raise DataError(
            f'compare: the sweeps scored other images ({len(a["images"])} and {len(b["images"])})'
        )
    signs = {m['name']: 1 if m['higher_is_better'] else -1 for m in a['metrics']}
    (values_a, sets_a), (values_b, sets_b) = ((_values(x), set_values(x)) for x in (a, b))
    common = [key for key in values_a if key in values_b]
    common_sets = [key for key in sets_a if key in sets_b]
    if not common + common_sets:
        raise DataError('compare: the sweeps have no noise, level and metric in common')
    rows = [
        _compared(key, values_a[key], values_b[key], signs[key[0]], a['seed']) for key in common
    ]
    rows += [_compared(key, sets_a[key], sets_b[key], signs[key[0]], None) for key in common_sets]
    return {'rows': rows, 'break_even': _break_evens(rows)}


def _values(result: Mapping[str, Any]) -> dict[tuple[str, str, float | None], list[float]]:
    """Return (metric, noise, level) -> value per image, averaged over repetitions."""
    found: dict[tuple[str, str, float | None], list[list[float]]] = {}
    for cell in result['cells']:
        for metric, values in cell['values'].items():
            key = (metric, cell['noise'], cell['level'])
            found.setdefault(key, []).append([math.nan if v is None else v for v in values])
    return {
        key: [math.fsum(image) / len(image) for image in zip(*repeated, strict=True)]
        for key, repeated in found.items()
    }


def _compared(
    key: tuple[str, str, float | None], a: list[float], b: list[float], sign: int, seed: int | None
) -> Row:
    """Compare values per image, or with ``seed=None`` per repetition of a set."""
    metric, noise, level = key
    if seed is None:
        gain, low, high = set_gain(a, b, sign)
    else:
        gain, low, high = mean_interval([sign * (y - x) for x, y in zip(a, b, strict=True)], seed)
    means = {'a': math.fsum(a) / len(a), 'b': math.fsum(b) / len(b)}
    return {
        'metric': metric, 'noise': noise, 'level': level, **means,
        'gain': gain, 'gain_low': low, 'gain_high': high,
    }  # fmt: skip


def _break_evens(rows: Sequence[Row]) -> list[Row]:
    curves: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row['level'] is not None:
            curves.setdefault((row['metric'], row['noise']), []).append(row)
    return [
        {
            'metric': metric,
            'noise': noise,
            'level': break_even(
                [row['level'] for row in curve],
                [row['a'] for row in curve],
                [row['b'] for row in curve],
            ),
        }
        for (metric, noise), curve in curves.items()
    ]

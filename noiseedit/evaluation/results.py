"""From the scores of a sweep to its result: rows with intervals, summaries.

A result is a plain dict, the content of ``sweep.json``; see :func:`make_result`.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from noiseedit.errors import DataError
from noiseedit.evaluation.metrics import ImageMetric, SetMetric
from noiseedit.evaluation.set_results import SetScores, set_entries, set_rows
from noiseedit.evaluation.statistics import area, deviation, mean_interval
from noiseedit.evaluation.sweep import CLEAN, Axis, Cell
from noiseedit.files import plain
from noiseedit.version import __version__

FORMAT = 1
LIBRARIES = ('torch', 'numpy', 'mmengine', 'opencv-python')
ImageRecords = dict[tuple[str, str], dict[str, float]]
"""(identity of the cell, sample key) -> {metric name: value}."""
Row = dict[str, Any]
Result = dict[str, Any]


def make_result(
    records: ImageRecords,
    cells: Sequence[Cell],
    axes: Sequence[Axis],
    metrics: Sequence[ImageMetric],
    scale: float,
    seed: int,
    set_metrics: Sequence[SetMetric] = (),
    sets: SetScores | None = None,
) -> Result:
    """Return what a sweep found.

    Args:
        records: Every (cell, image) of the sweep.
        cells: Of the sweep, the clean one first.
        axes: Of the sweep.
        metrics: What was scored.
        scale: Width of the network's value range: 1 or 2.
        seed: Of the sweep; also of the bootstrap.
        set_metrics: What was computed of whole sets.
        sets: Their values in every cell.

    Returns:
        ``metrics`` (name, higher_is_better), ``noises`` (label, spec, unit, levels in unit, network
        and 8-bit units), ``images`` (keys), ``cells`` (per-image values), ``rows`` (mean, std, 95 %
        interval per noise, level and metric, repetitions averaged per image; of sets see
        :func:`noiseedit.evaluation.set_results.set_rows`), ``summary``.
    """
    images = sorted({image for _, image in records})
    filled = [_cell(cell, records, images, metrics) for cell in cells]
    entries = [{'name': m.name, 'higher_is_better': m.higher_is_better} for m in metrics]
    rows = [row for metric in metrics for row in _rows(filled, metric.name, seed)]
    if set_metrics:
        of_sets = set_entries(set_metrics)
        filled = [_with_sets(*pair, sets or {}) for pair in zip(filled, cells, strict=True)]
        rows += [row for entry in of_sets for row in set_rows(filled, entry['name'])]
        entries += of_sets
    return {
        'format': FORMAT,
        'seed': seed,
        'metrics': entries,
        'noises': [_noise(axis, scale) for axis in axes],
        'images': images,
        'rows': rows,
        'summary': [_summary(axis.label, entry, rows) for entry in entries for axis in axes],
        'cells': filled,
        'versions': versions(),
    }


def _cell(
    cell: Cell, records: ImageRecords, images: Sequence[str], metrics: Sequence[ImageMetric]
) -> dict[str, Any]:
    scores = [records[cell.identity, image] for image in images]
    values = {metric.name: [score[metric.name] for score in scores] for metric in metrics}
    return {
        'noise': cell.label,
        'level': cell.level,
        'repetition': cell.repetition,
        'name': cell.name,
        'values': values,
    }


def _with_sets(filled: dict[str, Any], cell: Cell, sets: SetScores) -> dict[str, Any]:
    values = {name: value._asdict() for name, value in sets[cell.identity].items()}
    return {**filled, 'sets': values}


def _rows(cells: Sequence[Mapping[str, Any]], metric: str, seed: int) -> list[Row]:
    """Return one row per noise and level: per image the mean over repetitions, then over images."""
    groups: dict[tuple[str, float | None], list[Sequence[float]]] = {}
    for cell in cells:
        groups.setdefault((cell['noise'], cell['level']), []).append(cell['values'][metric])
    rows = []
    for (noise, level), repeated in groups.items():
        values = [math.fsum(image) / len(image) for image in zip(*repeated, strict=True)]
        mean, low, high = mean_interval(values, seed)
        spread = {'mean': mean, 'std': deviation(values), 'low': low, 'high': high}
        rows.append({'metric': metric, 'noise': noise, 'level': level, **spread, 'n': len(values)})
    return rows


def _noise(axis: Axis, scale: float) -> dict[str, Any]:
    """Describe an axis; levels that scale with the value range also in two other units."""
    level = axis.noise.level
    unit = level.unit if level is not None else None
    described = {
        'label': axis.label,
        'spec': plain(dict(axis.spec)),
        'text': repr(axis.noise),
        'level_name': level.name if level is not None else None,
        'unit': unit,
        'levels': list(axis.levels),
    }
    if unit is not None:
        strengths = [getattr(axis.at(value).level, 'bounds', (0.0, 0.0)) for value in axis.levels]
        described['strength_network'] = [high * scale for _, high in strengths]
        described['strength_255'] = [high * 255 for _, high in strengths]
    return described


def _summary(label: str, metric: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    clean, curve = _curve(rows, metric['name'], label)
    means = [mean for _, mean in curve]
    sign = 1 if metric['higher_is_better'] else -1
    drops = [sign * (clean - mean) for mean in means]
    levels = [level for level, _ in curve if level is not None]
    return {
        'noise': label,
        'metric': metric['name'],
        'clean': clean,
        'mean': math.fsum(means) / len(means),
        'area': area(levels, means) if len(levels) == len(means) > 1 else None,
        'mean_drop': math.fsum(drops) / len(drops),
        'max_drop': max(drops),
    }


def _curve(
    rows: Sequence[Row], metric: str, label: str
) -> tuple[float, list[tuple[float | None, float]]]:
    """Return the clean mean, and (level, mean) of one noise."""
    chosen = [row for row in rows if row['metric'] == metric]
    (clean,) = (row['mean'] for row in chosen if row['noise'] == CLEAN)
    return clean, [(row['level'], row['mean']) for row in chosen if row['noise'] == label]


def versions() -> dict[str, str]:
    """Return the versions that numbers may depend on."""
    found = {'noiseedit': __version__, 'python': platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def mean_metrics(result: Result) -> dict[str, float]:
    """Return ``{'clean/<metric>': ..., '<noise>/mean/<metric>': ...}`` for logs and trackers."""
    clean = {f'{CLEAN}/{entry["metric"]}': entry['clean'] for entry in result['summary']}
    means = {f'{e["noise"]}/mean/{e["metric"]}': e['mean'] for e in result['summary']}
    return {**clean, **means}


def flat_metrics(result: Result) -> dict[str, float]:
    """Return ``{'<noise>/<level>/<metric>': mean}``."""
    flat = {}
    for row in result['rows']:
        level = '' if row['level'] is None else f'{row["level"]:g}/'
        flat[f'{row["noise"]}/{level}{row["metric"]}'] = row['mean']
    return flat


# Files.


def read_result(path: str | Path) -> Result:
    """Return the result in ``sweep.json``, or in a folder that holds one; ``null`` becomes NaN.

    Raises:
        DataError: If there is none, or it is of another format.
    """
    file = Path(path) / 'sweep.json' if Path(path).is_dir() else Path(path)
    try:
        result: Result = json.loads(file.read_text())
        kind = result['format']
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f'{file}: no result of a sweep ({error}); make one with test.py --sweep NAME'
        ) from error
    if kind != FORMAT:
        raise DataError(f'{file}: format {kind}, this version reads {FORMAT}; run the sweep again')
    for row in result['rows']:
        row.update({key: math.nan for key in ('mean', 'std', 'low', 'high') if row[key] is None})
    return result

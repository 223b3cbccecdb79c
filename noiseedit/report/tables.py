"""Results of sweeps as CSV and Markdown."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from noiseedit.evaluation.metrics import SetValue
from noiseedit.evaluation.statistics import mean_interval
from noiseedit.report.provenance import identity_text
from noiseedit.theory.units import sigma_255

Row = Mapping[str, Any]
Result = Mapping[str, Any]

CLEAN = 'clean'


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> str:
    """Return a Markdown table; all but the first ``text_columns`` columns are aligned right."""
    rule = ['---'] * text_columns + ['---:'] * (len(header) - text_columns)
    lines = [header, rule, *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines) + '\n'


def number(value: float | None, digits: int = 2) -> str:
    """Return ``value`` with ``digits`` decimals; a dash for ``None``, NaN as such."""
    if value is None:
        return '-'
    return 'NaN' if math.isnan(value) else f'{value:.{digits}f}'


def digits_of(metric: str) -> int:
    """Return how many decimals a metric is shown with: 2 for dB, percent, FID; 4 around 1."""
    return 2 if metric.startswith(('PSNR', 'FID', 'NLDA')) else 4


def interval_text(value: float, low: float, high: float, digits: int, sign: str = '') -> str:
    """Return an interval as it follows its value; nothing where a value has none."""
    if math.isnan(low) and not math.isnan(value):
        return ''
    return f' [{low:{sign}.{digits}f}, {high:{sign}.{digits}f}]'.replace('nan', 'NaN')


def level_text(level: float | None) -> str:
    """Return a level as shown in tables."""
    return '-' if level is None else f'{level:g}'


def unit_text(unit: Any) -> str:
    """Return what follows the name of a level: `` in 8-bit units``, `` in [-1,1]`` or nothing."""
    if unit is None:
        return ''
    return ' in 8-bit units' if unit == 255 else f' in {unit}'


def both_units(variance: float, value_range: str) -> str:
    """Return a level as variance in ``value_range`` and as 8-bit sigma: ``0.08 (36.1/255)``."""
    return f'{variance:.3g} ({sigma_255(variance, value_range):.3g}/255)'


def sweep_csv(result: Result) -> str:
    """Return one line per noise, level and metric, with the level in three units."""
    strengths = _strengths(result)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow(
        ['noise', 'level', 'unit', 'std_network', 'std_255', 'metric', 'mean', 'std', 'low', 'high',
         'n']
    )  # fmt: skip
    for row in result['rows']:
        unit, network, bits8 = strengths.get((row['noise'], row['level']), ('', '', ''))
        level = '' if row['level'] is None else row['level']
        spread = [row[name] for name in ('mean', 'std', 'low', 'high', 'n')]
        writer.writerow([row['noise'], level, unit, network, bits8, row['metric'], *spread])
    return buffer.getvalue()


def _strengths(result: Result) -> dict[tuple[str, float | None], tuple[Any, Any, Any]]:
    """Return (noise, level) -> unit, standard deviation in network and in 8-bit units."""
    found = {}
    for noise in result['noises']:
        blank = [''] * len(noise['levels'])
        network = noise.get('strength_network', blank)
        bits8 = noise.get('strength_255', blank)
        for level, a, b in zip(noise['levels'], network, bits8, strict=True):
            found[noise['label'], level] = (noise['unit'] or '', a, b)
    return found


def sweep_markdown(result: Result) -> str:
    """Return the tables of one sweep: a table per metric, noises down and levels across."""
    parts = [f'# Sweep of {result["checkpoint"] or "the model"}\n', _facts(result)]
    for metric in result['metrics']:
        arrow = 'higher is better' if metric['higher_is_better'] else 'lower is better'
        parts += [f'## {metric["name"]} ({arrow})\n', metric_table(result, metric['name'])]
        parts += [summary_table(result, metric['name'])]
    return '\n'.join(parts)


def _facts(result: Result) -> str:
    facts = [
        f'* config {result["config"] or "-"}, sha256 {result["config_sha256"][:12]}; '
        f'checkpoint sha256 {result["checkpoint_sha256"][:12] or "-"}',
        f'* {len(result["images"])} images, seed {result["seed"]}; means over images with 95 % '
        'bootstrap intervals',
        '* ' + ', '.join(f'{name} {text}' for name, text in result['versions'].items()),
    ]
    if people := identity_text(result):
        facts.append(f'* {people}')
    if any(metric.get('of') == 'set' for metric in result['metrics']):
        facts.insert(2, '* values of sets: means over noise draws with 95 % t intervals')
    return '\n'.join(facts) + '\n'


def metric_table(result: Result, metric: str) -> str:
    """Return mean and interval of one metric: a row per noise, a column per level.

    Noises with different levels get a row per level instead.
    """
    rows = [row for row in result['rows'] if row['metric'] == metric]
    shared = {tuple(noise['levels']) for noise in result['noises']}
    if len(shared) > 1 or shared == {(None,)}:
        lines = [[row['noise'], level_text(row['level']), _cell(row, metric)] for row in rows]
        return markdown(['noise', 'level', 'mean'], lines, text_columns=2)
    (levels,) = shared
    by_place = {(row['noise'], row['level']): row for row in rows}
    columns = [(CLEAN, None)] if 0 not in levels else []
    lines = []
    for noise in result['noises']:
        places = [*columns, *((noise['label'], level) for level in levels)]
        lines.append([noise['label'], *(_cell(by_place[place], metric) for place in places)])
    units = {noise['unit'] for noise in result['noises']}
    unit = unit_text(units.pop()) if len(units) == 1 else ''
    names = {noise['level_name'] for noise in result['noises']}
    title = f'{names.pop() if len(names) == 1 else "level"}{unit}'
    return markdown([title, *(name for name, _ in columns), *map(level_text, levels)], lines)


def _cell(row: Row, metric: str) -> str:
    digits = digits_of(metric)
    interval = interval_text(row['mean'], row['low'], row['high'], digits)
    return number(row['mean'], digits) + interval


def summary_table(result: Result, metric: str) -> str:
    """Return what each noise costs: mean over levels, area under the curve, loss against clean."""
    digits = digits_of(metric)
    lines = [
        [
            entry['noise'],
            number(entry['mean'], digits),
            number(entry['area'], digits),
            number(entry['mean_drop'], digits),
            number(entry['max_drop'], digits),
        ]
        for entry in result['summary']
        if entry['metric'] == metric
    ]
    header = ['noise', 'mean over levels', 'area under curve', 'mean loss', 'largest loss']
    return markdown(header, lines)


def strongest_table(results: Mapping[str, Result]) -> str:
    """Return means with intervals on clean images and at the highest level of every noise.

    Args:
        results: Name of the model -> its sweep; all sweeps have the same cells.
    """
    first = next(iter(results.values()))
    places = [(CLEAN, None), *((n['label'], _highest(n['levels'])) for n in first['noises'])]
    metrics = [metric['name'] for metric in first['metrics']]
    cells = {
        (model, row['noise'], row['level'], row['metric']): _cell(row, row['metric'])
        for model, result in results.items()
        for row in result['rows']
    }
    lines = [
        [
            noise,
            level_text(level),
            *(cells.get((m, noise, level, metric), '-') for metric in metrics for m in results),
        ]
        for noise, level in places
    ]
    header = [f'{metric} {model}' for metric in metrics for model in results]
    return markdown(['noise', 'level', *header], lines, text_columns=2)


def _highest(levels: Sequence[float | None]) -> float | None:
    return max((level for level in levels if level is not None), default=None)


def comparison_markdown(comparison: Mapping[str, Any], names: tuple[str, str]) -> str:
    """Return two sweeps side by side: gain of the second, and where their curves meet."""
    parts = []
    for metric in dict.fromkeys(row['metric'] for row in comparison['rows']):
        parts += [f'## {metric}\n', comparison_table(comparison, metric, names)]
    return '\n'.join([*parts, '## Break-even\n', break_even_table(comparison)])


def comparison_table(comparison: Mapping[str, Any], metric: str, names: tuple[str, str]) -> str:
    """Return one metric of two sweeps side by side, with the gain of the second."""
    digits = digits_of(metric)
    lines = [
        [
            row['noise'],
            level_text(row['level']),
            number(row['a'], digits),
            number(row['b'], digits),
            f'{row["gain"]:+.{digits}f}'
            + interval_text(row['gain'], row['gain_low'], row['gain_high'], digits, '+'),
        ]
        for row in comparison['rows']
        if row['metric'] == metric
    ]
    return markdown(['noise', 'level', *names, 'gain (95 % interval)'], lines, text_columns=2)


def break_even_table(comparison: Mapping[str, Any]) -> str:
    """Return the level, per noise and metric, from which the second model is ahead."""
    metrics = list(dict.fromkeys(entry['metric'] for entry in comparison['break_even']))
    noises = list(dict.fromkeys(entry['noise'] for entry in comparison['break_even']))
    found = {(e['noise'], e['metric']): e['level'] for e in comparison['break_even']}
    lines = [
        [noise, *(_meeting(found.get((noise, metric))) for metric in metrics)] for noise in noises
    ]
    return markdown(['noise', *metrics], lines)


def _meeting(level: float | None) -> str:
    return 'curves do not meet' if level is None else f'{level:.4g}'


def scores_markdown(
    records: Mapping[str, Sequence[tuple[str, float]]], sets: Mapping[str, SetValue] | None = None
) -> str:
    """Return mean and 95 % interval of each metric, and the values of sets.

    Args:
        records: Metric name -> (sample key, value) per image.
        sets: Metric name -> value of a set.
    """
    lines = []
    for name, found in records.items():
        mean, low, high = mean_interval([value for _, value in found])
        texts = [number(value, digits_of(name)) for value in (mean, low, high)]
        lines.append([name, texts[0], f'[{texts[1]}, {texts[2]}]', str(len(found))])
    for name, value in (sets or {}).items():
        spread = (
            f'std {number(value.std, digits_of(name))} over {value.over}' if value.over else '-'
        )
        lines.append([name, number(value.value, digits_of(name)), spread, str(value.n)])
    return markdown(['metric', 'mean', '95 % interval', 'images'], lines)


def scores_csv(records: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Return one line per image, one column per metric; ``records`` as above."""
    by_image: dict[str, dict[str, float]] = {}
    for name, found in records.items():
        for key, value in found:
            by_image.setdefault(key, {})[name] = value
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ['image', *records], lineterminator='\n')
    writer.writeheader()
    for key in sorted(by_image):
        writer.writerow({'image': key, **by_image[key]})
    return buffer.getvalue()

"""Curves of metrics over noise levels, drawn with matplotlib (imported when needed)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from noiseedit.evaluation.statistics import break_even
from noiseedit.report.look import (
    COLOURS,
    MEETING,
    ON_CLEAN,
    PREDICTED,
    LineKey,
    line_look,
    new_figure,
    save_figure,
)
from noiseedit.report.tables import CLEAN, unit_text

Result = Mapping[str, Any]
Noise = Mapping[str, Any]

LEGEND_COLUMNS = 6


def draw_sweep(
    result: Result, path: str | Path, overlay: Callable[[Any, Any, Any], None] | None = None
) -> None:
    """Draw one sweep: a column per metric, a curve per noise, the clean value as a line.

    Noises whose levels mean different things (variance, severity) have a row each. Noises without
    levels are drawn as points. Bands are 95 % intervals.

    Args:
        result: See :func:`noiseedit.evaluation.results.make_result`.
        path: PNG (or any suffix that matplotlib knows).
        overlay: Draws a prediction into a panel: called with its axes, noises and metric.
    """
    groups = _by_level(result['noises'])
    with panels(len(result['metrics']), len(groups)) as (figure, grid):
        for axes, noises in zip(grid, groups, strict=True):
            for axis, metric in zip(axes, result['metrics'], strict=True):
                _draw_metric(axis, result, noises, metric)
                if overlay is not None:
                    overlay(axis, noises, metric)
        for axis, metric in zip(grid[0], result['metrics'], strict=True):
            axis.set_title(metric_label(metric))
        keys = [] if overlay is None else [PREDICTED]
        legend_below(figure, *_with_keys(*_legend_of(grid[:, 0]), keys))
        save_figure(figure, path)


def draw_comparison(
    results: Mapping[str, Result],
    path: str | Path,
    overlay: Callable[[Any, Any, Any], None] | None = None,
) -> None:
    """Draw several sweeps of the same noises: a row per metric, a column per noise.

    Args:
        results: Name of the model -> its sweep.
        path: PNG (or any suffix that matplotlib knows).
        overlay: Draws predictions into a row: called with its axes, their noises and the metric.
    """
    first = next(iter(results.values()))
    noises = [noise for noise in first['noises'] if noise['levels'] != [None]]
    metrics = first['metrics']
    if not noises:
        _draw_points(results, path)
        return
    with panels(len(noises), len(metrics)) as (figure, axes):
        for row, metric in zip(axes, metrics, strict=True):
            for axis, noise in zip(row, noises, strict=True):
                _draw_models(axis, results, noise, metric)
            share_range(row)
            row[0].set_ylabel(metric_label(metric))
            if overlay is not None:
                overlay(row, noises, metric)
        for axis, noise in zip(axes[0], noises, strict=True):
            axis.set_title(noise['label'])
        for axis, noise in zip(axes[-1], noises, strict=True):
            name_levels(axis, noise)
        handles, labels = axes[0][0].get_legend_handles_labels()
        keys = [ON_CLEAN, *([MEETING] if len(results) == 2 else [])]
        keys += [] if overlay is None else [PREDICTED]
        legend_below(figure, *_with_keys(handles, labels, keys))
        save_figure(figure, path)


# Panels.


def _by_level(noises: Sequence[Noise]) -> list[list[Noise]]:
    """Return the noises in groups whose levels share name and unit."""
    groups: dict[Any, list[Noise]] = {}
    for noise in noises:
        groups.setdefault((noise['level_name'], noise['unit']), []).append(noise)
    return list(groups.values())


def _draw_metric(
    axis: Any, result: Result, noises: Sequence[Noise], metric: Mapping[str, Any]
) -> None:
    """Draw one group of noises; a curve looks the same in every figure of the sweep."""
    places = {noise['label']: place for place, noise in enumerate(result['noises'])}
    labels = [noise['label'] for noise in noises]
    rows = [row for row in result['rows'] if row['metric'] == metric['name']]
    (clean,) = (row for row in rows if row['noise'] == CLEAN)
    axis.axhline(clean['mean'], color='#555555', linewidth=1, linestyle=(0, (4, 3)), label=CLEAN)
    if all(noise['levels'] == [None] for noise in noises):
        _points(axis, [row for row in rows if row['noise'] in labels], COLOURS[0], 0.0)
        return
    for label in labels:
        _curve(axis, [row for row in rows if row['noise'] == label], places[label], label)
    name_levels(axis, noises[0])


def _draw_models(
    axis: Any, results: Mapping[str, Result], noise: Mapping[str, Any], metric: Mapping[str, Any]
) -> None:
    for index, (model, result) in enumerate(results.items()):
        rows = [row for row in result['rows'] if row['metric'] == metric['name']]
        (clean,) = (row['mean'] for row in rows if row['noise'] == CLEAN)
        colour = COLOURS[index % len(COLOURS)]
        axis.axhline(
            clean, color=colour, linewidth=ON_CLEAN.width, linestyle=ON_CLEAN.style, alpha=0.7
        )
        _curve(axis, [row for row in rows if row['noise'] == noise['label']], index, model)
    if len(results) == 2:
        _mark_break_even(axis, list(results.values()), noise, metric['name'])


def _mark_break_even(
    axis: Any, results: Sequence[Result], noise: Mapping[str, Any], metric: str
) -> None:
    """Mark the level at which two curves meet."""
    a, b = (
        [
            row
            for row in result['rows']
            if row['metric'] == metric and row['noise'] == noise['label']
        ]
        for result in results
    )
    if [row['level'] for row in a] != [row['level'] for row in b]:
        return
    levels = [row['level'] for row in a]
    level = break_even(levels, [row['mean'] for row in a], [row['mean'] for row in b])
    if level is not None:
        axis.axvline(level, color='#777777', linewidth=MEETING.width, linestyle=MEETING.style)
        place = axis.get_xaxis_transform()
        axis.text(
            level, 0.985, f' {level:.2g}', transform=place, fontsize=7.5, color='#555555', va='top',
            bbox={'facecolor': 'white', 'alpha': 0.8, 'linewidth': 0, 'pad': 0.5},
        )  # fmt: skip


def _curve(axis: Any, rows: Sequence[Mapping[str, Any]], index: int, label: str) -> None:
    rows = [row for row in rows if row['level'] is not None]
    levels, means = [row['level'] for row in rows], [row['mean'] for row in rows]
    low, high = [row['low'] for row in rows], [row['high'] for row in rows]
    look = line_look(index)
    axis.fill_between(levels, low, high, color=look['color'], alpha=0.1, linewidth=0)
    axis.plot(levels, means, markersize=4, linewidth=1.6, label=label, **look)


def _draw_points(results: Mapping[str, Result], path: str | Path) -> None:
    """Draw noises without levels: a panel per metric, a point with interval per noise and model."""
    metrics = next(iter(results.values()))['metrics']
    with panels(len(metrics), 1) as (figure, axes):
        for axis, metric in zip(axes[0], metrics, strict=True):
            for index, (model, result) in enumerate(results.items()):
                rows = [
                    row
                    for row in result['rows']
                    if row['metric'] == metric['name'] and row['noise'] != CLEAN
                ]
                offset = (index - (len(results) - 1) / 2) * 0.18
                _points(axis, rows, COLOURS[index % len(COLOURS)], offset, model)
            axis.set_title(metric_label(metric))
        handles, labels = axes[0][0].get_legend_handles_labels()
        legend_below(figure, handles, labels)
        save_figure(figure, path)


def _points(
    axis: Any,
    rows: Sequence[Mapping[str, Any]],
    colour: str,
    offset: float,
    label: str | None = None,
) -> None:
    names = [f'{row["noise"]}{_suffix(row["level"])}' for row in rows]
    places = [offset + place for place in range(len(rows))]
    means = [row['mean'] for row in rows]
    spans = [
        [row['mean'] - row['low'] for row in rows],
        [row['high'] - row['mean'] for row in rows],
    ]
    axis.errorbar(
        means, places, xerr=spans, fmt='o', color=colour, markersize=4, linewidth=1.2, label=label
    )
    axis.set_yticks(range(len(rows)), names)
    axis.set_ylim(len(rows) - 0.4, -0.6)


# Text and size.


def _suffix(level: float | None) -> str:
    return '' if level is None else f' {level:g}'


def metric_label(metric: Mapping[str, Any]) -> str:
    """Return name and direction: ``PSNR in dB (higher is better)``, protocol below."""
    kind, _, protocol = metric['name'].partition('(')
    unit = ' [dB]' if kind == 'PSNR' else ''
    arrow = '\u2191' if metric['higher_is_better'] else '\u2193'
    return f'{kind}{unit} {arrow}' + (f'\n({protocol}' if protocol else '')


def level_label(noise: Mapping[str, Any]) -> str:
    """Return name and unit of a level, below it the largest in 8-bit units where it has one."""
    unit = unit_text(noise['unit'])
    name = noise['level_name'] or 'level'
    bits8 = noise.get('strength_255')
    if not bits8 or (name == 'sigma' and noise['unit'] == 255):
        return f'{name}{unit}'
    return f'{name}{unit}\n(std up to {max(bits8):.3g} of 255)'


def name_levels(axis: Any, noise: Noise) -> None:
    """Label the axis of levels; severities are whole numbers."""
    axis.set_xlabel(level_label(noise))
    if noise['level_name'] == 'severity':
        axis.xaxis.get_major_locator().set_params(integer=True)


def share_range(axes: Sequence[Any]) -> None:
    """Give the panels of a row one vertical range, and tick labels on the first only."""
    bounds = [axis.get_ylim() for axis in axes]
    for place, axis in enumerate(axes):
        axis.set_ylim(min(low for low, _ in bounds), max(high for _, high in bounds))
        axis.tick_params(labelleft=place == 0)


def _with_keys(
    handles: Sequence[Any], labels: Sequence[str], keys: Sequence[LineKey]
) -> tuple[list[Any], list[str]]:
    """Add what kinds of lines mean."""
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color='#777777', linestyle=k.style, linewidth=k.width) for k in keys]
    return [*handles, *lines], [*labels, *(key.text for key in keys)]


def _legend_of(axes: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """Return lines and labels of several panels, each label once."""
    named: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    return list(named.values()), list(named)


def legend_below(figure: Any, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Draw one legend for all panels, below them, in as few rows as fit; the figure grows by it."""
    if not handles:
        return
    for columns in range(min(LEGEND_COLUMNS, len(labels)), 0, -1):
        rows = -(-len(labels) // columns)
        legend = figure.legend(
            handles, labels, loc='outside lower center', ncols=-(-len(labels) // rows)
        )
        box = legend.get_window_extent(figure.canvas.get_renderer())
        if box.width <= figure.bbox.width or columns == 1:
            break
        legend.remove()
    figure.set_figheight(figure.get_figheight() + box.height / figure.dpi)


@contextmanager
def panels(columns: int, rows: int) -> Iterator[tuple[Any, Any]]:
    """Yield a figure and its axes (rows, columns); :func:`legend_below` adds its own height."""
    width = {1: 6.0, 2: 4.4}.get(columns, 2.9)
    with new_figure(width * columns, 2.5 * rows + 0.8) as figure:
        yield figure, figure.subplots(rows, columns, squeeze=False)

"""Figures of a study: the gain of noise injection over the levels of every noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noiseedit.report.curves import legend_below, name_levels, panels, share_range
from noiseedit.report.look import line_look, save_figure

Entry = Mapping[str, Any]
COLUMNS = 5


def draw_gains(
    entries: Sequence[Entry], noises: Sequence[Mapping[str, Any]], metric: str, path: str | Path
) -> None:
    """Draw a panel per noise and a curve per model: what injection gains; above zero it is ahead.

    Bands are 95 % intervals over images, of metrics of whole sets over draws.

    Args:
        entries: Of one metric; see :func:`noiseedit.study.summary.summarise`.
        noises: Of the results, in order.
        metric: Name, for the axis.
        path: PNG (or any suffix that matplotlib knows).
    """
    models = list(dict.fromkeys(entry['model'] for entry in entries))
    columns = min(COLUMNS, len(noises))
    with panels(columns, -(-len(noises) // columns)) as (figure, grid):
        axes = list(grid.flat)
        for axis, noise in zip(axes, noises, strict=False):
            shown = [entry for entry in entries if entry['noise'] == noise['label']]
            _draw_panel(axis, shown, models, noise)
        for axis in axes[len(noises) :]:
            axis.set_axis_off()
        for row in range(0, len(noises), columns):
            share_range(axes[row : min(row + columns, len(noises))])
            axes[row].set_ylabel(f'gain in {metric.partition("(")[0]}')
        legend_below(figure, *axes[0].get_legend_handles_labels())
        save_figure(figure, path)


def _draw_panel(
    axis: Any, entries: Sequence[Entry], models: Sequence[str], noise: Mapping[str, Any]
) -> None:
    axis.axhline(0, color='#555555', linewidth=1)
    for entry in entries:
        look = line_look(models.index(entry['model']))
        levels = [0 if level is None else level for level in entry['levels']]
        axis.fill_between(
            levels, entry['gain_low'], entry['gain_high'], color=look['color'], alpha=0.1,
            linewidth=0,
        )  # fmt: skip
        axis.plot(levels, entry['gain'], markersize=4, linewidth=1.6, label=entry['model'], **look)
    axis.set_title(noise['label'])
    name_levels(axis, noise)

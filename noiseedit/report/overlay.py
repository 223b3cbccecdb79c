"""The prediction of theory on measured curves: dotted lines on a second axis, and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noiseedit.evaluation.comparison import compare
from noiseedit.report.look import COLOURS, PREDICTED
from noiseedit.report.prediction import Prediction, break_even_rows, rank_rows
from noiseedit.report.tables import both_units, markdown, number

Result = Mapping[str, Any]
Noise = Mapping[str, Any]

POINTS = 121
HEADROOM = 4.0  # how far the highest curve may tower over the next before it leaves the panel
EXPLANATION = (
    'Dotted, on the right axis: the predicted KL divergence, in nats per dimension, of the test '
    'inputs from those in training, on a square-root scale that is turned so that worse points the '
    'same way on both axes; it says how far the inputs are from what the model knows and is no '
    "prediction of the metric's value."
)


def overlay_row(
    prediction: Prediction, axes: Sequence[Any], noises: Sequence[Noise], metric: Mapping[str, Any]
) -> None:
    """Draw the prediction into the panels of a row: one noise each, a dotted line per model.

    Args:
        prediction: What is drawn; noises that it leaves out get no second axis.
        axes: Panels with the measured curves.
        noises: Entry of the sweep, per panel.
        metric: Entry of the sweep; the second axis points down where higher is better.
    """
    drawn = [
        (axis, noise['label'])
        for axis, noise in zip(axes, noises, strict=True)
        if noise['label'] in prediction.noises and not prediction.is_empty
    ]
    seconds = [_draw_panel(prediction, axis, label) for axis, label in drawn]
    top = max((_top(second) for second in seconds), default=0.0)
    for index, second in enumerate(seconds):
        _finish(second, top, metric, labelled=index == len(seconds) - 1)


def overlay_panel(
    prediction: Prediction, axis: Any, noises: Sequence[Noise], metric: Mapping[str, Any]
) -> None:
    """Draw the prediction of one model into a panel of several noises: once, it is the same."""
    predicted = [noise for noise in noises if noise['label'] in prediction.noises]
    for noise in predicted[:1]:
        overlay_row(prediction, [axis], [noise], metric)


def _draw_panel(prediction: Prediction, axis: Any, label: str) -> Any:
    """Return the second axis of a panel with its dotted lines."""
    levels = prediction.noises[label]['levels']
    fine = np.linspace(min(levels), max(levels), POINTS)
    second = axis.twinx()
    second.set_zorder(axis.get_zorder() - 1)  # what was measured lies on top
    axis.patch.set_visible(False)
    for index, model in enumerate(prediction.models):
        if model in prediction.trains:
            colour = COLOURS[index % len(COLOURS)] if len(prediction.models) > 1 else '#000000'
            values = prediction.divergence(model, label, list(fine))
            second.plot(
                fine, values, color=colour, linestyle=PREDICTED.style, linewidth=PREDICTED.width
            )
    return second


def _top(second: Any) -> float:
    """Return the end of the axis; one curve that towers over all others is cut."""
    *others, highest = sorted(float(line.get_ydata().max()) for line in second.get_lines())
    return min(highest, HEADROOM * others[-1]) if others and others[-1] > 0 else highest


def _finish(second: Any, top: float, metric: Mapping[str, Any], labelled: bool) -> None:
    second.set_yscale('function', functions=(_root, np.square))
    second.set_ylim(0, 1.05 * top or 1.0)
    if metric['higher_is_better']:
        second.invert_yaxis()
    second.grid(visible=False)
    second.spines['right'].set_visible(True)
    second.tick_params(labelright=labelled, colors='#555555')
    if labelled:
        second.set_ylabel('predicted KL per dimension', color='#555555')


def _root(values: Any) -> Any:
    return np.sqrt(np.maximum(values, 0))


# Tables.


def prediction_tables(prediction: Prediction, results: Mapping[str, Result]) -> dict[str, str]:
    """Return title -> Markdown table: break-even levels, and rank correlations.

    Args:
        prediction: Of ``results``.
        results: Name of the model -> its sweep; the first is the baseline.
    """
    baseline, *others = results
    found = {}
    for other in others:
        compared = compare(results[baseline], results[other])
        rows = break_even_rows(prediction, baseline, other, compared)
        if rows:
            title = f'Break-even of {other} with {baseline}: predicted and observed variance'
            found[title] = _break_even_table(prediction, rows)
    if not prediction.is_empty:
        found['Rank correlation of measured loss and predicted divergence'] = _rank_table(
            rank_rows(prediction, results)
        )
    return found


def _break_even_table(prediction: Prediction, rows: Sequence[Mapping[str, Any]]) -> str:
    metrics = list(dict.fromkeys(row['metric'] for row in rows))
    observed = {(row['noise'], row['metric']): row['observed'] for row in rows}
    predicted = {row['noise']: row['predicted'] for row in rows}
    lines = [
        [
            noise,
            _level(prediction, level, 'same training level'),
            *(
                _level(prediction, observed[noise, metric], 'curves do not meet')
                for metric in metrics
            ),
        ]
        for noise, level in predicted.items()
    ]
    return markdown(['noise', 'predicted', *(f'observed, {metric}' for metric in metrics)], lines)


def _level(prediction: Prediction, variance: float | None, otherwise: str) -> str:
    return otherwise if variance is None else both_units(variance, prediction.value_range)


def _rank_table(rows: Sequence[Mapping[str, Any]]) -> str:
    header = ['metric', 'loss against the same model on clean images',
              'loss against the best model at that level', 'cells']  # fmt: skip
    lines = [
        [row['metric'], number(row['own']), number(row['best']), str(row['cells'])] for row in rows
    ]
    return markdown(header, lines)


def prediction_lines(prediction: Prediction, results: Mapping[str, Result]) -> list[str]:
    """Return tables and notes as lines of Markdown, also for a terminal."""
    lines = []
    for title, table in prediction_tables(prediction, results).items():
        lines += [f'{title}:', '', *table.splitlines(), '']
    return [*lines, *(f'* {note}' for note in prediction.notes), '']

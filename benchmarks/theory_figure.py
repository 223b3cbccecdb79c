"""The picture of benchmarks/theory_in_practice.py: one metric, the noise that was trained with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from theory_readings import MAIN
from theory_text import entry_of, short

from noiseedit.report.look import COLOURS, MARKERS, new_figure, save_figure
from noiseedit.theory import average_kl, kl_table

Analysis = Mapping[str, Any]
Array = NDArray[np.float64]
DASHED, DOTTED, DASH_DOT = (0, (4, 3)), (0, (1, 2)), (0, (5, 2, 1, 2))
GREY = '#666666'
SAMPLES = 200


def draw(found: Analysis, path: str | Path) -> None:
    """Draw loss and divergence, their scatter, break-even, and average and worst case.

    Args:
        found: What ``theory_in_practice.analyse`` returned.
        path: PNG (or any suffix that matplotlib knows).
    """
    with new_figure(13.2, 7.6) as figure:
        axes = figure.subplots(2, 3)
        entry = entry_of(found, found['metrics'][0], found['noises'][0])
        _measured(axes[0][0], found, entry)
        _predicted(axes[0][1], found)
        _scatter(axes[0][2], found, entry)
        _break_even(axes[1][0], found, entry)
        _rule(axes[1][1], found, entry, 'average', _average_divergence)
        _rule(axes[1][2], found, entry, 'minimax', _worst_divergence)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside upper center', ncols=len(labels))
        save_figure(figure, path)


def _name(variance: float) -> str:
    return f'trained at {variance:g}' if variance else 'trained on clean photographs'


def _style(index: int) -> dict[str, Any]:
    return {'color': COLOURS[index % len(COLOURS)], 'marker': MARKERS[index % len(MARKERS)]}


def _unit(entry: Mapping[str, Any]) -> str:
    name = short(entry['metric'])
    return 'loss in ' + (f'{name} [dB]' if name == 'PSNR' else name)


def _spans(entry: Mapping[str, Any], pick: Callable[[Any], Any], mean: Any) -> Array:
    """Return how far single trainings lie below and above the mean, shape (2, ...)."""
    runs = np.array([pick(seed) for seed in entry['seeds']], float)
    middle = np.array(mean, float)
    return np.abs(np.stack([middle - runs.min(axis=0), runs.max(axis=0) - middle]))


# Over the test variance.


def _measured(axis: Any, found: Analysis, entry: Mapping[str, Any]) -> None:
    name = 'best network at that level'
    losses = np.array(entry['mean']['readings'][name], float)
    spans = _spans(entry, lambda seed: seed['readings'][name], losses)
    for index, row in enumerate(losses):
        axis.errorbar(
            found['test_variances'], row, yerr=spans[:, index], markersize=4.5, linewidth=1.6,
            elinewidth=0.8, label=_name(found['train_variances'][index]), **_style(index),
        )  # fmt: skip
    axis.set_title('measured: loss against the best network there')
    axis.set_xlabel('test variance in [-1,1]')
    axis.set_ylabel(_unit(entry))
    axis.set_ylim(bottom=0)


def _predicted(axis: Any, found: Analysis) -> None:
    eigenvalues = np.array(found['predicted']['eigenvalues'])
    train, top = np.array(found['train_variances']), found['test_variances'][-1]
    test = top * np.linspace(0, 1, SAMPLES) ** 2  # finest near 0
    table = kl_table(eigenvalues, train, test) / len(eigenvalues)
    marked = np.array(found['predicted']['kl'])
    for index, row in enumerate(table):
        style = _style(index)
        axis.plot(test, row, color=style['color'], linewidth=1.6)
        axis.plot(found['test_variances'], marked[index], linestyle='', markersize=4.5, **style)
    axis.set_yscale('function', functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
    axis.set_ylim(0, 1.05 * table.max())
    axis.set_yticks([0, 0.1, 0.5, 1, 2, 5, 10, 15], ['0', '0.1', '0.5', '1', '2', '5', '10', '15'])
    axis.set_ylim(0, 1.05 * table.max())
    axis.set_title('predicted: divergence of the inputs')
    axis.set_xlabel('test variance in [-1,1]')
    axis.set_ylabel('nats per dimension (square-root scale)')


def _scatter(axis: Any, found: Analysis, entry: Mapping[str, Any]) -> None:
    losses = np.array(entry['mean']['readings'][MAIN], float)
    spans = _spans(entry, lambda seed: seed['readings'][MAIN], losses)
    divergence = np.array(found['predicted']['kl'])
    for index, row in enumerate(losses):
        known = np.isfinite(row)
        axis.errorbar(
            divergence[index, known], row[known], yerr=spans[:, index, known], linestyle='',
            markersize=6, elinewidth=0.8, markeredgecolor='white', markeredgewidth=0.6,
            **_style(index),
        )  # fmt: skip
    rank = entry['mean']['rank'][MAIN]
    axis.text(
        0.97, 0.07, f'rank correlation {rank["correlation"]:.2f} (n = {rank["n"]})',
        transform=axis.transAxes, ha='right', fontsize=9.5,
    )  # fmt: skip
    axis.set_xscale('log')
    axis.axhline(0, color=GREY, linewidth=0.8)
    axis.set_title('both: loss against the network of that level')
    axis.set_xlabel('predicted divergence [nats per dimension]')
    axis.set_ylabel(_unit(entry))


# Over the training variance.


def _break_even(axis: Any, found: Analysis, entry: Mapping[str, Any]) -> None:
    train = np.array(found['train_variances'][1:])
    predicted = found['predicted']
    seen = np.array(entry['mean']['break_even'], float)
    spans = _spans(entry, lambda seed: seed['break_even'], seen)
    bound, curve = predicted['conservative'], predicted['break_even']
    distance = found['control']['break_even']
    for line, style in ((bound, DOTTED), (distance, DASH_DOT), (curve, DASHED)):
        axis.plot(train, line, color=GREY, linestyle=style, linewidth=1.3)
    for index, variance in enumerate(train):
        axis.errorbar(
            variance, seen[index], yerr=np.nan_to_num(spans[:, index : index + 1]), markersize=7,
            elinewidth=0.9, **_style(index + 1),
        )  # fmt: skip
    _label_line(axis, train, bound, 'half (bound)', 'right', (-5, 5))
    _label_line(axis, train, distance, 'sigma distance', 'right', (-5, 5))
    _label_line(axis, train, curve, 'predicted', 'right', (-5, -13))
    axis.set_ylim(bottom=0)
    axis.set_title('test variance from which noise training wins')
    axis.set_xlabel('training variance in [-1,1]')
    axis.set_ylabel('test variance in [-1,1]')


def _label_line(
    axis: Any, x: Array, line: Sequence[float], text: str, side: str, offset: tuple[int, int]
) -> None:
    """Write ``text`` beside a line, at three quarters of its way."""
    place = (x[0] + 3 * x[-1]) / 4
    axis.annotate(
        text, (place, np.interp(place, x, line)), offset, textcoords='offset points', color=GREY,
        ha=side, fontsize=8.5,
    )  # fmt: skip


def _average_divergence(eigenvalues: Array, train: Array, top: float) -> Array:
    return np.array([average_kl(eigenvalues, s, top) for s in train]) / len(eigenvalues)


def _worst_divergence(eigenvalues: Array, train: Array, top: float) -> Array:
    return kl_table(eigenvalues, train, np.array([0, top])).max(axis=1) / len(eigenvalues)


def _rule(
    axis: Any,
    found: Analysis,
    entry: Mapping[str, Any],
    rule: str,
    divergence: Callable[[Array, Array, float], Array],
) -> None:
    """Draw measured points on the left scale, the predicted curve on the right one."""
    key = {'average': 'average_loss', 'minimax': 'worst_loss'}[rule]
    train, predicted = np.array(found['train_variances']), found['predicted']
    losses = np.array(entry['mean'][key])
    spans = _spans(entry, lambda seed: seed[key], losses)
    axis.plot(train, losses, color='#bbbbbb', linewidth=1.2)
    for index, variance in enumerate(train):
        axis.errorbar(
            variance, losses[index], yerr=spans[:, index : index + 1], markersize=7,
            elinewidth=0.9, **_style(index),
        )  # fmt: skip
    best = predicted['optimum'][rule]
    axis.axvline(best, color=GREY, linestyle=DASHED, linewidth=1.2)
    axis.text(
        best, 0.97, f' predicted best\n {best:.3f}', color=GREY, fontsize=8.5, va='top',
        transform=axis.get_xaxis_transform(),
    )  # fmt: skip
    _beside(axis, found, divergence)
    axis.set_ylim(bottom=0)
    words = {'average': 'average', 'minimax': 'worst'}[rule]
    axis.set_title(f'{words} loss over all test variances')
    axis.set_xlabel('training variance in [-1,1]')
    axis.set_ylabel(_unit(entry))


def _beside(axis: Any, found: Analysis, divergence: Callable[[Array, Array, float], Array]) -> None:
    top = float(found['test_variances'][-1])
    train = np.linspace(0, found['train_variances'][-1], SAMPLES)
    values = divergence(np.array(found['predicted']['eigenvalues']), train, top)
    right = axis.twinx()
    right.plot(train, values, color=GREY, linewidth=1, linestyle=DOTTED)
    right.set_yscale('log')
    right.grid(visible=False)
    right.tick_params(colors=GREY)
    right.set_ylabel('divergence (dotted)', color=GREY, fontsize=8.5)

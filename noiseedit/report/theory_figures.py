"""Pictures of an advice: the spectrum of the data, divergence curves, the map of levels.

Variances are in the advice's value range; every variance axis has one in 8-bit sigma beside it.
Level axes are linear in sigma, and divergences square-root scaled: what small levels do shows
beside what a model trained on clean images suffers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from noiseedit.report.look import COLOURS, MARKERS, new_figure, save_figure
from noiseedit.report.tables import both_units
from noiseedit.report.theory_curves import has_moments, highest_variance, per_dimension
from noiseedit.theory.units import sigma_255

Advice = Mapping[str, Any]
GRID = 161
COARSE = 61  # of noise that is not white: one call per point
HEADROOM = 3.0  # how far the clean-trained curve may tower over the others before it is cut
DASHED = (0, (4, 3))
TINY = 1e-12
CLEAN_LABEL = 'trained on clean images'


class Line(NamedTuple):
    """A training level and how it is drawn in every picture."""

    label: str
    variance: float
    colour: str
    marker: str
    break_even: float | None


def draw_spectrum(advice: Advice, path: str | Path) -> None:
    """Draw the eigenvalues over their index, with the floor and the recommended levels.

    Args:
        advice: See :func:`noiseedit.advice.advise`.
        path: PNG (or any suffix that matplotlib knows).
    """
    spectrum, data = advice['spectrum'], advice['data']
    values = np.sort(np.asarray(spectrum['eigenvalues'], float))[::-1]
    with new_figure(5.6, 4.6) as figure:
        axis = figure.subplots()
        axis.loglog(
            np.arange(1, len(values) + 1), values, color='#444444', marker='.', markersize=5,
            linewidth=1.2, label='eigenvalues of the data',
        )  # fmt: skip
        axis.axhline(
            spectrum['floor'], color='#888888', linestyle=DASHED, linewidth=1.2,
            label=f'floor {spectrum["floor"]:.2g} ({spectrum["floored"]} raised to it)',
        )  # fmt: skip
        for line in rule_lines(advice):
            label = _rule_label(advice, line)
            axis.axhline(line.variance, color=line.colour, linewidth=1.5, label=label)
        size = data['patch_size']
        axis.set_title(f'Spectrum of {size}x{size} patches, {data["channels"]}')
        axis.set_xlabel('index of the eigenvalue')
        axis.set_ylabel(f'variance in {advice["value_range"]}')
        _second_axis(axis, 'y', _sigma_functions(advice))
        _legend(figure, axis)
        save_figure(figure, path)


def draw_divergence(advice: Advice, path: str | Path) -> None:
    """Draw the divergence over the test level: a curve per rule and per level of the table.

    A marker on the curve of a rule is its break-even level with a model trained on clean images.

    Args:
        advice: See :func:`noiseedit.advice.advise`.
        path: PNG (or any suffix that matplotlib knows).
    """
    with new_figure(6.4, 4.9) as figure:
        axis = figure.subplots()
        clean = _draw_curve(axis, advice, 0.0, CLEAN_LABEL, color='#000000', linestyle=DASHED)
        tops = [*_draw_table_levels(axis, advice), *_draw_rules(axis, advice)]
        axis.set_yscale('function', functions=(_root, np.square))
        axis.set_ylim(0, 1.05 * min(clean, HEADROOM * max(tops)))
        axis.set_ylabel('KL divergence, nats per dimension')
        axis.set_title(f'What a mismatch of training and test level costs{_white(advice)}')
        _level_axis(axis, advice, 'x', 'test')
        _legend(figure, axis)
        save_figure(figure, path)


def draw_level_map(advice: Advice, path: str | Path) -> None:
    """Draw the divergence of every training level at every test level as colours.

    Right of the dashed curve, noise-injected training beats training on clean images.

    Args:
        advice: See :func:`noiseedit.advice.advise`.
        path: PNG (or any suffix that matplotlib knows).
    """
    sigmas, variances = _levels(advice)
    values = np.maximum(per_dimension(advice, variances, variances), TINY)
    with new_figure(6.6, 5.6) as figure:
        axis = figure.subplots()
        top = float(np.quantile(values, 0.98))  # near clean training it may grow beyond all bounds
        mesh = axis.pcolormesh(
            sigmas, sigmas, values, norm=_log_norm(top), cmap='viridis', shading='gouraud',
            rasterized=True,
        )  # fmt: skip
        axis.grid(visible=False)
        for line in rule_lines(advice):
            axis.axhline(_bits8(advice, line.variance), color=line.colour, linewidth=2,
                         label=_rule_label(advice, line), path_effects=_halo())  # fmt: skip
        _draw_break_even(axis, sigmas, values)
        axis.set_title(f'Divergence of every training level at every test level{_white(advice)}')
        _level_axis(axis, advice, 'x', 'test')
        _level_axis(axis, advice, 'y', 'training')
        bar = figure.colorbar(mesh, ax=axis, pad=0.02, extend='both')
        bar.set_label('KL divergence, nats per dimension')
        _legend(figure, axis)
        save_figure(figure, path)


def rule_lines(advice: Advice) -> list[Line]:
    """Return the levels of the rules, each with its colour, marker and break-even level."""
    return [
        Line(rule['rule'], rule['variance'], COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)],
             rule['break_even'])
        for i, rule in enumerate(advice['rules'])
    ]  # fmt: skip


# Parts.


def _draw_curve(axis: Any, advice: Advice, train: float, label: str, **look: Any) -> float:
    """Draw the divergence of one training level over all test levels; return the highest value."""
    sigmas, variances = _levels(advice)
    (curve,) = per_dimension(advice, [train], variances)
    axis.plot(sigmas, curve, label=label, **look)
    return float(curve.max())


def _draw_table_levels(axis: Any, advice: Advice) -> list[float]:
    """Draw the levels of the table that are neither clean nor those of a rule, in greys."""
    taken = [0.0, *(line.variance for line in rule_lines(advice))]
    levels = [s for s in sorted(advice['table']['train_variances']) if not _is_any(s, taken)]
    tops = []
    for index, level in enumerate(levels):
        grey = str(0.75 - 0.35 * index / max(1, len(levels) - 1))
        label = both_units(level, advice['value_range'])
        tops.append(_draw_curve(axis, advice, level, label, color=grey, linewidth=1.1))
    return tops


def _is_any(level: float, taken: Sequence[float]) -> bool:
    return any(np.isclose(level, other, rtol=1e-6, atol=0) for other in taken)


def _draw_rules(axis: Any, advice: Advice) -> list[float]:
    """Draw the curve of every rule and mark where it meets that of clean training."""
    tops = []
    for line in rule_lines(advice):
        label = _rule_label(advice, line)
        tops.append(_draw_curve(axis, advice, line.variance, label, color=line.colour))
        if line.break_even is None or line.break_even > highest_variance(advice):
            continue
        ((height,),) = per_dimension(advice, [line.variance], [line.break_even])
        axis.plot(
            _bits8(advice, line.break_even), height, color=line.colour, marker=line.marker,
            markersize=7, markeredgecolor='white', linestyle='none', zorder=5,
        )  # fmt: skip
    axis.plot([], [], color='#777777', marker='o', markersize=7, linestyle='none',
              label='break-even with clean training')  # fmt: skip
    return tops


def _draw_break_even(axis: Any, sigmas: np.ndarray, values: np.ndarray) -> None:
    """Draw where each training level is as far from the inputs as clean training; the diagonal.

    Args:
        axis: Of 8-bit sigmas: test to the right, training upwards.
        sigmas: Points of both axes, the first 0.
        values: Divergence, (training, test).
    """
    look = {'color': 'white', 'linewidth': 1.4, 'path_effects': _halo()}
    drawn = axis.contour(
        sigmas, sigmas[1:], values[1:] - values[0], levels=[0.0], colors='white', linewidths=1.4,
        linestyles=[DASHED],
    )  # fmt: skip
    drawn.set_path_effects(_halo())
    axis.plot([], [], linestyle=DASHED, label='break-even with clean training', **look)
    axis.plot(sigmas, sigmas, linestyle=':', label='test level = training level', **look)


def _halo() -> list[Any]:
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=3, foreground='#333333')]


def _log_norm(top: float) -> Any:
    from matplotlib.colors import LogNorm

    return LogNorm(vmin=top * 1e-3, vmax=top)


def _white(advice: Advice) -> str:
    """Say so where an advice for other noise holds no moments to draw."""
    white = advice['noise']['kind'] == 'white' or has_moments(advice)
    return '' if white else '\n(for white noise of the same variance)'


def _rule_label(advice: Advice, line: Line) -> str:
    return f'{line.label}: {both_units(line.variance, advice["value_range"])}'


# Axes.


def _bits8(advice: Advice, variance: float) -> float:
    return sigma_255(variance, advice['value_range'])


def _levels(advice: Advice) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of level axes: sigma in 8-bit units, and variance."""
    share = np.linspace(0, 1, COARSE if has_moments(advice) else GRID)
    highest = highest_variance(advice)
    return _bits8(advice, highest) * share, highest * share**2


def _root(values: Any) -> Any:
    return np.sqrt(np.maximum(values, 0))


def _level_axis(axis: Any, advice: Advice, name: str, of: str) -> None:
    """Label an axis of 8-bit sigmas in variance, and in sigma on the other side."""
    highest = highest_variance(advice)
    variances = round_variances(highest)
    side = getattr(axis, f'{name}axis')
    side.set_ticks([_bits8(advice, v) for v in variances], [f'{v:g}' for v in variances])
    getattr(axis, f'set_{name}lim')(0, _bits8(advice, highest))
    getattr(axis, f'set_{name}label')(f'{of} variance in {advice["value_range"]}')
    _second_axis(axis, name, None)


def round_variances(top: float) -> list[float]:
    """Return 0 and round numbers up to ``top`` that are well apart on an axis of their roots."""
    power = math.floor(math.log10(top))
    steps = [m * 10.0**p for p in range(power - 3, power + 1) for m in (1, 2, 4, 8)]
    kept: list[float] = []
    for step in reversed([step for step in steps if step <= top * (1 + 1e-9)]):
        below = kept[-1] if kept else 4 * top
        if math.sqrt(below) - math.sqrt(step) >= 0.1 * math.sqrt(top) <= math.sqrt(step):
            kept.append(step)
    return [0.0, *reversed(kept)]


def _second_axis(axis: Any, name: str, functions: Any) -> None:
    """Add the axis of 8-bit sigmas; ``functions`` lead from the first axis to it and back."""
    if name == 'x':
        axis.secondary_xaxis('top', functions=functions).set_xlabel('sigma in 8-bit units')
    else:
        axis.secondary_yaxis('right', functions=functions).set_ylabel('sigma in 8-bit units')


def _sigma_functions(advice: Advice) -> tuple[Any, Any]:
    """Return the way from variances to 8-bit sigmas, and back."""
    one = _bits8(advice, 1.0)
    return lambda variance: one * _root(variance), lambda sigma: np.square(sigma / one)


def _legend(figure: Any, axis: Any) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=2)

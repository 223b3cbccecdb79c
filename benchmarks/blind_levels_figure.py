"""The picture of benchmarks/blind_levels.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from noiseedit.report.look import line_look, new_figure, save_figure

White = Mapping[str, Mapping[int, list[float]]]


def draw(white: White, real: Mapping[str, list[float]], broad: str, path: Path) -> None:
    """Draw the error over sigma of white noise, and estimates over truth of cameras.

    Args:
        white: Estimator -> sigma -> relative errors.
        real: Estimator -> estimate / truth, and the truth as ``'sigma'``.
        broad: The estimator that is in ``real`` alone.
        path: PNG.
    """
    with new_figure(9.6, 3.8) as figure:
        left, right = figure.subplots(1, 2)
        for place, (name, errors) in enumerate(white.items()):
            mean = [100 * np.mean(values) for values in errors.values()]
            left.plot(list(errors), mean, label=name, linewidth=1.4, **line_look(place))
        left.axhline(0, color='#888888', linewidth=0.8)
        left.set_title('white noise, CBSD68')
        left.set_xlabel('sigma, grey levels')
        left.set_ylabel('mean error of the estimate, %')
        _cameras(right, white, real, broad)
        handles, labels = right.get_legend_handles_labels()
        figure.legend(handles[1:], labels[1:], loc='outside lower center', ncols=3)
        save_figure(figure, path)


def _cameras(axis: object, white: White, real: Mapping[str, list[float]], broad: str) -> None:
    truth = np.array(real['sigma'])
    top = 1.1 * truth.max()
    axis.plot([0, top], [0, top], color='#888888', linewidth=0.8, label='truth')
    for place, name in enumerate([*white, broad]):
        look = line_look(place)
        axis.scatter(
            truth, truth * np.array(real[name]), 22, color=look['color'], marker=look['marker'],
            label=name,
        )  # fmt: skip
    axis.set_title('camera noise, CC15')
    axis.set_xlabel('sigma of noisy - clean, grey levels')
    axis.set_ylabel('estimate, grey levels')
    axis.set_xlim(0, top)
    axis.set_ylim(0, top)

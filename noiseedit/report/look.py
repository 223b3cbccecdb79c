"""The look of every figure: colours, lines, an empty figure, and how it is saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

# Okabe and Ito's palette: distinct for colour-blind readers.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X')
DASHES = ('-', (0, (6, 1.5)), (0, (2.5, 1.2)))
STYLE = {
    'figure.facecolor': 'white',
    'axes.grid': True,
    'grid.color': '#e6e6e6',
    'grid.linewidth': 0.7,
    'axes.axisbelow': True,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.edgecolor': '#888888',
    'axes.titlesize': 10.5,
    'axes.labelsize': 9.5,
    'xtick.labelsize': 8.5,
    'ytick.labelsize': 8.5,
    'legend.fontsize': 8.5,
    'legend.frameon': False,
    'font.family': 'DejaVu Sans',
}
"""Look of every figure."""


class LineKey(NamedTuple):
    """A kind of line and what the legend says of it."""

    text: str
    style: Any
    width: float


ON_CLEAN = LineKey('on clean images', (0, (4, 3)), 0.9)
MEETING = LineKey('break-even', '-.', 0.9)
PREDICTED = LineKey('predicted KL of the inputs (right axis)', (0, (1, 1.3)), 1.7)


def line_look(place: int) -> dict[str, Any]:
    """Return colour, line style and marker of a curve; 21 curves in a row differ in all pairs.

    The style changes with every round of the palette, and with it the marker of a colour.

    Args:
        place: Of the curve, from 0.
    """
    turn = place // len(COLOURS)
    return {
        'color': COLOURS[place % len(COLOURS)],
        'linestyle': DASHES[turn % len(DASHES)],
        'marker': MARKERS[(place + turn) % len(MARKERS)],
    }


@contextmanager
def new_figure(width: float, height: float) -> Iterator[Any]:
    """Yield an empty figure in the house's look; needs no display, touches no global state.

    Args:
        width: In inches.
        height: In inches.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout='constrained')
        FigureCanvasAgg(figure)
        yield figure


def save_figure(figure: Any, path: str | Path) -> None:
    """Write a figure atomically; the suffix chooses the format."""
    from noiseedit.files import atomic_file

    path = Path(path)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:] or 'png', dpi=160)

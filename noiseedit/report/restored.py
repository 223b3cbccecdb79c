"""What a model made of noisy images: in words, in numbers, and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from noiseedit.imaging import read_image, to_float
from noiseedit.inference.restore_files import Outcome, Scores, mean_scores
from noiseedit.inference.restoring import Restorer
from noiseedit.report.look import STYLE, save_figure

PANEL_INCHES = 2.6
ZOOM = 96  # side of the enlarged square in pixels
WHOLE = 1024  # pixels of a side from which on every second one is drawn

# In words and numbers.


class Teller:
    """Tell about images as they come, and once about tiles that are not as the whole image.

    Args:
        restorer: What restores them.
        tell: Takes a line of text.
    """

    def __init__(self, restorer: Restorer, tell: Callable[[str], object]) -> None:
        self.restorer, self.tell = restorer, tell
        self.told_seams = False

    def about(self, outcome: Outcome) -> None:
        """Tell what there is to tell of an image: scores, failures."""
        if self.restorer.seams is not None and not self.told_seams:
            self.tell(seams_text(self.restorer))
            self.told_seams = True
        if outcome.error:
            self.tell(f'{outcome.job.key}: failed, see below')
        elif outcome.scores:
            self.tell(f'{outcome.job.key}: {scores_text(outcome.scores, outcome.before)}')


def seams_text(restorer: Restorer) -> str:
    """Return why tiles are not as the whole image, and by how much, as a sentence."""
    reach, tiles, seams = restorer.reach, restorer.tiles, restorer.seams
    if reach is None or tiles is None or seams is None:
        return ''
    if reach.halo is None:
        why = 'the network looks at all of an image, or farther than 255 pixels'
    else:
        why = f'the network sees {reach.halo} pixels to each side, the halo has {tiles.halo}'
    return (
        f'tiles change the result: {why}. Measured on {seams.height}x{seams.width} pixels: up to '
        f'{seams.largest:.2f} of 255, root mean square {seams.rms:.3f}'
    )


def scores_text(scores: Scores, before: Scores) -> str:
    """Return scores with those of the noisy image, as text."""
    return ', '.join(
        f'{name} {value:.{_digits(name)}f} (noisy {before[name]:.{_digits(name)}f})'
        for name, value in scores.items()
    )


def _digits(name: str) -> int:
    return 2 if name.startswith('PSNR') else 4


def summary(outcomes: Sequence[Outcome], out: Path, color: str = 'channels') -> str:
    """Return what was made and where it is."""
    made = [outcome for outcome in outcomes if not outcome.error]
    kept = sum(outcome.was_done for outcome in made)
    words = {
        'channels': 'R, G and B went through the grey network one by one',
        'grey': 'became grey for a grey network',
    }
    notes = {
        'color': f'in colour: {words[color]}',
        'grey': 'grey: went through a colour network as R = G = B, and came out in colour',
        'transparency': 'with transparent parts: put on white',
    }
    lines = []
    for name, text in notes.items():
        if count := sum(name in outcome.notes for outcome in made):
            lines.append(f'{_images(count)} {text}')
    scored = [outcome for outcome in made if outcome.scores]
    if len(scored) > 1:
        means = (mean_scores([getattr(o, which) for o in scored]) for which in ('scores', 'before'))
        lines.append(f'mean of {_images(len(scored))}: {scores_text(*means)}')
    lines.append(f'{_images(len(made))} -> {out}' + (f' ({kept} were there)' if kept else ''))
    return '\n'.join(lines)


def _images(count: int) -> str:
    return f'{count} image' + ('' if count == 1 else 's')


def failures(outcomes: Sequence[Outcome]) -> str:
    """Return which images failed, and why; empty: none."""
    failed = [outcome for outcome in outcomes if outcome.error]
    if not failed:
        return ''
    listed = ''.join(f'\n  {outcome.error}' for outcome in failed)
    return f'{len(failed)} of {_images(len(outcomes))} failed:{listed}'


def results(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what a record keeps."""
    scored = {outcome.job.key: outcome.scores for outcome in outcomes if outcome.scores}
    return {
        'images': sum(not outcome.error for outcome in outcomes),
        'failed': {outcome.job.key: outcome.error for outcome in outcomes if outcome.error},
        'scores': scored,
        'mean': mean_scores(list(scored.values())),
    }


# As a picture.


def write_grid(outcomes: Sequence[Outcome], path: Path, count: int) -> None:
    """Draw the first ``count`` images that did not fail; see :func:`draw_restored`."""
    rows = {}
    for outcome in [outcome for outcome in outcomes if not outcome.error][:count]:
        job = outcome.job
        files = {'noisy': job.source, 'restored': job.target, 'clean': job.clean}
        rows[job.key] = {
            name: read_image(file, max_pixels=2**31) for name, file in files.items() if file
        }
    if rows:
        draw_restored(rows, path)


def draw_restored(rows: Mapping[str, Mapping[str, np.ndarray]], path: str | Path) -> None:
    """Draw a row per image: the noisy image with a frame, then the framed square of every version.

    Args:
        rows: Name of the image -> name of the version ('noisy' first, 'restored', 'clean') ->
            (H, W, 1 or 3) uint8 or float in [0, 1].
        path: PNG.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 1 + max(len(versions) for versions in rows.values())
    with mpl.rc_context({**STYLE, 'axes.grid': False}):
        figure = Figure((PANEL_INCHES * columns, PANEL_INCHES * len(rows) + 0.3))
        FigureCanvasAgg(figure)
        figure.set_layout_engine('constrained', w_pad=0.02, h_pad=0.02)
        axes = figure.subplots(len(rows), columns, squeeze=False)
        for axis in axes.flat:
            axis.set_axis_off()
        for line, (name, versions) in zip(axes, rows.items(), strict=True):
            _draw_row(line, name, versions)
        save_figure(figure, path)


def _draw_row(axes: Iterable[Any], name: str, versions: Mapping[str, np.ndarray]) -> None:
    from matplotlib.patches import Rectangle

    noisy = next(iter(versions.values()))
    top, left, side = busiest_square(noisy)
    first, *others = axes
    step = max(1, max(noisy.shape) // WHOLE)
    _show(first, noisy[::step, ::step], name)
    corner, length = (left / step, top / step), side / step
    first.add_patch(Rectangle(corner, length, length, fill=False, color='#D55E00', lw=1.5))
    for axis, (title, image) in zip(others, versions.items(), strict=False):
        _show(axis, image[top : top + side, left : left + side], title)


def _show(axis: Any, image: np.ndarray, title: str) -> None:
    picture = np.clip(to_float(image), 0, 1)
    picture = picture if picture.shape[2] == 3 else picture.repeat(3, axis=2)
    axis.imshow(picture, interpolation='nearest')
    axis.set_title(title, loc='left')


def busiest_square(image: np.ndarray, side: int = ZOOM) -> tuple[int, int, int]:
    """Return top, left and side of the square with most structure, on a grid of half a side.

    Structure is how much means of 4x4 pixels differ from their neighbours; white noise adds the
    same everywhere.

    Args:
        image: (H, W, C).
        side: Wanted; smaller images give less.
    """
    side = min(side, *image.shape[:2])
    grey = to_float(image).mean(2)
    step = max(1, side // 2)
    places = [
        (top, left)
        for top in range(0, grey.shape[0] - side + 1, step)
        for left in range(0, grey.shape[1] - side + 1, step)
    ]
    scores = [_structure(grey[top : top + side, left : left + side]) for top, left in places]
    return (*places[int(np.argmax(scores))], side)


def _structure(square: np.ndarray) -> float:
    cell = max(1, min(4, square.shape[0] // 2))
    count = square.shape[0] // cell
    cells = square[: count * cell, : count * cell].reshape(count, cell, count, cell).mean((1, 3))
    return float(sum(np.abs(np.diff(cells, axis=axis)).sum() for axis in (0, 1)))

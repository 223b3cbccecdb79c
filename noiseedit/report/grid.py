"""Picture grids: what the models made of the same noisy images, over the levels of a noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from noiseedit.errors import ConfigError
from noiseedit.report.look import STYLE, save_figure

Result = Mapping[str, Any]
MAX_COLUMNS = 6
CELL_INCHES = 1.6


def cell_folder(folder: str | Path, noise: str | None, level: float | None) -> Path:
    """Return where a sweep wrote the pictures of a cell; level 0 and ``None`` noise: clean."""
    name = 'clean'
    if noise is not None:
        name = noise.replace('/', '-') + ('' if level is None else f'_{level:g}')
    cell = Path(folder) / 'sweep_images' / name
    return cell if cell.is_dir() else Path(folder) / 'sweep_images' / 'clean'


def draw_grid(
    folders: Mapping[str, str | Path],
    results: Mapping[str, Result],
    noise: str,
    path: str | Path,
    image: str | None = None,
) -> bool:
    """Draw one image over the levels of ``noise``: input, each model's output, target.

    Args:
        folders: Name of the model -> work folder of its sweep.
        results: Name of the model -> its sweep.
        noise: Label of the noise.
        path: PNG.
        image: Sample key; ``None``: the first with pictures.

    Returns:
        False if the sweeps kept no pictures of a common image; then nothing is drawn.

    Raises:
        ConfigError: If ``image`` is none of those with pictures.
    """
    common = _common_images(list(results.values()))
    if not common:
        return False
    if image is not None and image not in common:
        raise ConfigError(f'image {image!r}: the sweeps kept pictures of {", ".join(common)}')
    key = image or common[0]
    first = next(iter(results.values()))
    levels = _chosen_levels(next(n for n in first['noises'] if n['label'] == noise))
    rows = _rows(folders, noise, levels, key)
    captions = _captions(results, noise, levels, key)
    titles = _titles(first, noise, levels)
    _draw(rows, captions, titles, _target(next(iter(folders.values())), key), path)
    return True


def _common_images(results: Sequence[Result]) -> list[str]:
    return [
        key for key in results[0].get('examples', []) if all(key in r['examples'] for r in results)
    ]


def _chosen_levels(noise: Mapping[str, Any]) -> list[float | None]:
    levels: list[float | None] = list(noise['levels'])
    step = -(-len(levels) // MAX_COLUMNS)
    return levels[::step]


def _rows(
    folders: Mapping[str, str | Path], noise: str, levels: Sequence[float | None], key: str
) -> dict[str, list[np.ndarray]]:
    """Return row title -> one picture per level."""
    first = next(iter(folders.values()))
    cells = [cell_folder(first, noise, level) for level in levels]
    rows = {'input': [_read(cell, key, 'input') for cell in cells]}
    for model, folder in folders.items():
        rows[model] = [_read(cell_folder(folder, noise, level), key, 'pred') for level in levels]
    return rows


def _target(folder: str | Path, key: str) -> np.ndarray | None:
    clean = cell_folder(folder, None, None)
    return _read(clean, key, 'gt') if (clean / f'{key}_gt.png').exists() else None


def _read(folder: Path, key: str, kind: str) -> np.ndarray:
    from noiseedit.imaging import read_image

    return read_image(folder / f'{key}_{kind}.png')


def _captions(
    results: Mapping[str, Result], noise: str, levels: Sequence[float | None], key: str
) -> dict[str, list[str]]:
    """Return model -> the value of the first metric, if of images, of each of its pictures."""
    return {
        model: [_value_text(result, noise, level, key) for level in levels]
        for model, result in results.items()
    }


def _value_text(result: Result, noise: str, level: float | None, key: str) -> str:
    metric = result['metrics'][0]
    if metric.get('of') == 'set':
        return ''
    index = result['images'].index(key)
    for cell in result['cells']:
        if (cell['noise'], cell['level'], cell['repetition']) == (noise, level, 0):
            value = cell['values'][metric['name']][index]
            unit = ' dB' if metric['name'].startswith('PSNR') else ''
            return 'NaN' if value is None else f'{value:.2f}{unit}'
    return ''


def _titles(result: Result, noise: str, levels: Sequence[float | None]) -> list[str]:
    described = next(n for n in result['noises'] if n['label'] == noise)
    name = described['level_name'] or ''
    texts = [noise if level is None else f'{name} {level:g}' for level in levels]
    return [f'{noise}\n{text}' if i == 0 else f'\n{text}' for i, text in enumerate(texts)]


def _draw(
    rows: Mapping[str, Sequence[np.ndarray]],
    captions: Mapping[str, Sequence[str]],
    titles: Sequence[str],
    target: np.ndarray | None,
    path: str | Path,
) -> None:
    """Draw the pictures of every row, and the target once, in a column of its own."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = next(iter(rows.values()))[0].shape[:2]
    columns = len(titles) + (target is not None)
    row_height = CELL_INCHES * height / width + 0.2
    with mpl.rc_context({**STYLE, 'axes.grid': False}):
        figure = Figure(figsize=(CELL_INCHES * columns + 0.4, row_height * len(rows) + 0.4))
        FigureCanvasAgg(figure)
        figure.set_layout_engine('constrained', w_pad=0.02, h_pad=0.01, wspace=0.0, hspace=0.01)
        places = figure.add_gridspec(len(rows), columns)
        for row, (name, pictures) in enumerate(rows.items()):
            texts = captions.get(name, [''] * len(titles))
            axes = [figure.add_subplot(places[row, column]) for column in range(len(titles))]
            for axis, picture, text in zip(axes, pictures, texts, strict=True):
                _show(axis, picture, below=text)
            for axis, title in zip(axes if row == 0 else (), titles, strict=False):
                axis.set_title(title, fontsize=9, loc='left')
            axes[0].set_ylabel(name, fontsize=9)
        if target is not None:
            axis = figure.add_subplot(places[:, -1])
            _show(axis, target)
            axis.set_title('target', fontsize=9, loc='left')
        save_figure(figure, path)


def _show(axis: Any, picture: np.ndarray, below: str = '') -> None:
    axis.imshow(picture, interpolation='nearest', vmin=0, vmax=255)
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)
    if below:
        axis.set_xlabel(below, fontsize=7.5, labelpad=2)

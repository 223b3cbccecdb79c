"""Pictures of what a generative model makes: grids, interpolations, the level of its noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from noiseedit.inference.sampling import generate, generative, interpolate, noise_level, streams
from noiseedit.models import EditModel
from noiseedit.models.nr_gan import NRGAN
from noiseedit.report.look import new_figure, save_figure

GAP = 1  # pixels between pictures, before enlarging
PANEL_INCHES = 3.6
ROW_INCHES = 0.85
CLASS_COLUMNS = 10
EVEN = 127.5  # 8-bit units in one unit of [-1, 1]
ENLARGED = 1152  # least width of a mosaic in pixels: small pictures are enlarged, not blurred


LEVELS = {'sigma': 'learnt |sigma|, mean', 'rms': 'learnt noise, root mean square'}


def write_grid(model: EditModel, path: str | Path, count: int, seed: int = 0) -> None:
    """Write the first ``count`` images of a model: clean, noise, noisy; see :func:`draw_grid`.

    Of a conditional model: a row per class, of the first :data:`CLASS_COLUMNS` latents at most.
    """
    if not isinstance(generative(model), NRGAN):
        _write_classes(model, path, min(count, CLASS_COLUMNS), seed)
        return
    made = generate(model, count, streams(seed, range(count)))
    clean, noisy = _pictures(made.clean), _pictures(made.noisy)
    draw_grid(clean, noisy - clean, noisy, path)


def _write_classes(model: EditModel, path: str | Path, count: int, seed: int) -> None:
    pictures = generative(model).pictures(count, streams(seed, range(count)))
    draw_rows({name: _pictures(images) for name, images in pictures.items()}, path)


def write_interpolations(
    model: EditModel, path: str | Path, pairs: int, seed: int = 0, label: int | None = None
) -> None:
    """Write what lies between the first images, a row per pair; see :func:`draw_rows`."""
    rows = interpolate(model, pairs, seed=seed, label=label)
    named = {f'{2 * k} to {2 * k + 1}': _pictures(row) for k, row in enumerate(rows)}
    draw_rows(named, path)


def write_level(
    model: EditModel, path: str | Path, count: int, seed: int = 0, batch_size: int = 64
) -> dict[str, Any]:
    """Write the level of the learnt noise per pixel; see :func:`draw_level`.

    Args:
        model: A generative model.
        path: PNG; not written where the model has no noise.
        count: Generated images that the level is averaged over.
        seed: Base seed of latents.
        batch_size: Images generated at once.

    Returns:
        ``level``: mean over pixels in network units; ``level_255``: in 8-bit units; ``of``,
        ``images`` and ``text``: what it is, of how many images, as a sentence.
    """
    found = noise_level(model, count, seed=seed, batch_size=batch_size)
    if found is None:
        return {'level': 0.0, 'level_255': 0.0, 'images': count, 'text': 'the model has no noise'}
    where = ' at white' if found.to_8bit > EVEN else ''
    mean, mean_255 = found.mean(), found.mean() * found.to_8bit
    text = f'{LEVELS[found.of]}: {mean:.4f} in network units, {mean_255:.2f} of 255{where}'
    draw_level(found.level.numpy(), found.to_8bit, LEVELS[found.of], path, f'of 255{where}')
    return {
        'level': mean,
        'level_255': mean_255,
        'of': LEVELS[found.of] + where,
        'images': count,
        'text': text,
    }


def _pictures(images: Tensor) -> np.ndarray:
    return images.permute(0, 2, 3, 1).cpu().numpy()


def draw_grid(clean: np.ndarray, noise: np.ndarray, noisy: np.ndarray, path: str | Path) -> None:
    """Draw three panels of the same images: clean, noise around mid-grey, noisy.

    Args:
        clean: (N, H, W, C) in [0, 1].
        noise: Likewise, around 0: noisy - clean.
        noisy: Likewise, in [0, 1].
        path: PNG.
    """
    columns = ceil(sqrt(len(clean)))
    sheet_height = PANEL_INCHES * ceil(len(clean) / columns) / columns
    sheet_height *= clean.shape[1] / clean.shape[2]
    titled = {'clean': clean, 'noise (grey: none)': noise + 0.5, 'noisy': noisy}
    with new_figure(3 * PANEL_INCHES, sheet_height + 0.3) as figure:
        for axis, (title, images) in zip(figure.subplots(1, 3), titled.items(), strict=True):
            axis.imshow(enlarged(mosaic(images, columns)), interpolation='antialiased')
            axis.set_title(title)
            axis.set_axis_off()
        save_figure(figure, path)


def draw_rows(rows: Mapping[str, np.ndarray], path: str | Path) -> None:
    """Draw rows of pictures with their names.

    Args:
        rows: Name -> (steps, H, W, C) in [0, 1], all of one shape.
        path: PNG.
    """
    images = np.stack(list(rows.values()))
    count, steps, height, width = images.shape[:4]
    picture = enlarged(mosaic(images.reshape(-1, *images.shape[2:]), steps))
    with new_figure(ROW_INCHES * steps + 0.5, ROW_INCHES * count * height / width) as figure:
        axis = figure.subplots()
        axis.imshow(picture, interpolation='antialiased')
        places = (np.arange(count) + 0.5) / count * picture.shape[0]
        axis.set_yticks(places, list(rows))
        axis.set_xticks([])
        axis.tick_params(length=0)
        axis.grid(visible=False)
        for spine in axis.spines.values():
            spine.set_visible(False)
        save_figure(figure, path)


def draw_level(
    level: np.ndarray, to_8bit: float, title: str, path: str | Path, unit: str = '8-bit units'
) -> None:
    """Draw the level of the learnt noise per pixel, with a bar for each unit.

    Args:
        level: (H, W) in network units.
        to_8bit: Factor to 8-bit units.
        title: What the level is.
        path: PNG.
        unit: What the second scale of the bar is called.
    """
    with new_figure(5.2, 3.8) as figure:
        axis = figure.subplots()
        shown = axis.imshow(level, cmap='viridis', vmin=0, interpolation='nearest')
        axis.set_title(title)
        axis.grid(visible=False)
        bar = figure.colorbar(shown, ax=axis)
        bar.set_label('in network units')
        second = bar.ax.secondary_yaxis(
            'left', functions=(lambda v: v * to_8bit, lambda v: v / to_8bit)
        )
        second.set_ylabel(unit)
        save_figure(figure, path)


def mosaic(images: Sequence[np.ndarray] | np.ndarray, columns: int) -> np.ndarray:
    """Return images (N, H, W, C) beside and below each other, white between them."""
    count, height, width, channels = np.shape(images)
    rows = ceil(count / columns)
    cell = (height + GAP, width + GAP)
    sheet = np.ones((rows * cell[0], columns * cell[1], channels), np.float32)
    for place, image in enumerate(images):
        top, left = place // columns * cell[0], place % columns * cell[1]
        sheet[top : top + height, left : left + width] = image
    return sheet[:-GAP, :-GAP]


def enlarged(image: np.ndarray) -> np.ndarray:
    """Return an RGB picture in [0, 1], every pixel repeated so that small ones stay sharp."""
    times = max(1, ceil(ENLARGED / image.shape[1]))
    picture = np.clip(image, 0, 1).repeat(times, 0).repeat(times, 1)
    return picture if picture.shape[2] == 3 else picture[:, :, :1].repeat(3, 2)

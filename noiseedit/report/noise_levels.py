"""The noise of files, estimated from each alone: a table, the line of a config, a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noiseedit.errors import DataError
from noiseedit.imaging import list_images, read_image, to_float
from noiseedit.noises.blind import NoiseFunction, estimate_noise_function, noise_spec
from noiseedit.report.look import COLOURS, new_figure, save_figure
from noiseedit.report.tables import markdown

RGB = ('R', 'G', 'B')
RGB_COLOURS = (COLOURS[1], COLOURS[2], COLOURS[0])
PANELS = 12  # images in a picture
COLUMNS = 4


def image_files(sources: Sequence[Path]) -> list[Path]:
    """Return the files themselves, and every image of the folders.

    Raises:
        DataError: If a folder is missing or holds no image.
    """
    found = [[path] if path.is_file() else list_images(path) for path in sources]
    return [path for paths in found for path in paths]


def estimate_files(
    files: Sequence[Path], *, correlated: bool = False, failed: list[str] | None = None
) -> Iterator[tuple[str, NoiseFunction]]:
    """Yield path and noise of every image, one by one.

    Args:
        files: Images.
        correlated: See :func:`~noiseedit.noises.blind.estimate_noise_function`.
        failed: Takes what is wrong with images that cannot be read or used; None: the first one
            is raised.

    Raises:
        DataError: If an image cannot be read or used (named), and ``failed`` is None.
    """
    for file in files:
        try:
            yield str(file), _estimate(file, correlated)
        except DataError as error:
            if failed is None:
                raise
            failed.append(str(error))


def _estimate(file: Path, correlated: bool) -> NoiseFunction:
    image = torch.from_numpy(to_float(read_image(file, channels=None))).permute(2, 0, 1)[None]
    try:
        return estimate_noise_function(image, correlated=correlated)
    except DataError as error:
        raise DataError(f'{file}: {error}') from error


def level_table(found: Mapping[str, NoiseFunction]) -> str:
    """Return a Markdown table: a line per image and channel.

    ``sigma``: of the image as a whole; ``chi = 1 / a`` photons at white; ``read``: 255 sqrt(b).
    """
    header = ('image', 'channel', 'sigma/255', 'a', 'b', 'chi', 'read/255')
    rows = [
        (name, channel, *_numbers(noise, place))
        for name, noise in found.items()
        for place, channel in enumerate(_channels(noise))
    ]
    return markdown(header, rows, text_columns=2)


def config_line(found: Mapping[str, NoiseFunction]) -> str:
    """Return the assignment of a config that trains and tests with this noise."""
    spec = ', '.join(f'{key}={value!r}' for key, value in noise_spec(list(found.values())).items())
    return f'noise = dict(train=dict({spec}), test=dict({spec}))'


def draw_levels(found: Mapping[str, NoiseFunction], path: str | Path) -> None:
    """Draw points and lines of the first twelve images: standard deviation over intensity.

    Args:
        found: What :func:`estimate_files` yields.
        path: PNG (or any suffix that matplotlib knows).
    """
    shown = list(found.items())[:PANELS]
    columns = min(COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    with new_figure(max(4.8, 3.2 * columns), 2.9 * rows + 0.4) as figure:
        axes = np.atleast_1d(figure.subplots(rows, columns, sharex=True)).ravel()
        for axis, (name, noise) in zip(axes, shown, strict=False):
            _draw_one(axis, noise, Path(name).stem)
        for axis in axes[len(shown) :]:
            axis.set_visible(False)
        save_figure(figure, path)


def _draw_one(axis: Any, noise: NoiseFunction, title: str) -> None:
    x = torch.linspace(0, 1, 101)
    colours = RGB_COLOURS if noise.a.shape[1] == len(RGB) else ('#444444',)
    for place, colour in enumerate(colours):
        line = (noise.a[0, place] * x + noise.b[0, place]).sqrt()
        axis.plot(255 * x.numpy(), 255 * line.numpy(), color=colour, linewidth=1.4)
        points = noise.intensity[0, place], noise.variance[0, place].sqrt()
        axis.scatter(*(255 * part.numpy() for part in points), 14, color=colour)
    axis.set_title(title)
    axis.set_xlabel('intensity, grey levels')
    axis.set_ylabel('sigma, grey levels')
    highest = 255 * float((noise.a[0] + noise.b[0]).amax().sqrt())
    axis.set_ylim(0, max(1.0, 2 * highest))  # texture may lie far above


def _channels(noise: NoiseFunction) -> tuple[str, ...]:
    return RGB if noise.a.shape[1] == len(RGB) else ('grey',)


def _numbers(noise: NoiseFunction, place: int) -> tuple[str, ...]:
    a, b, sigma = (float(part[0, place]) for part in (noise.a, noise.b, noise.sigma))
    photons = '-' if a == 0 else f'{1 / a:.4g}'
    return f'{255 * sigma:.2f}', f'{a:.3g}', f'{b:.3g}', photons, f'{255 * math.sqrt(b):.2f}'

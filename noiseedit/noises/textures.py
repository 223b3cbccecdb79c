"""Random fields that weather is made of: plasma, ice, and photographs from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import DataError
from noiseedit.noises.random import Generator, uniform

CELL = 36  # side of the grid that ice crystals start from, in pixels
ICE_BLUE = (0.57, 0.65, 0.70)  # mean colour of the first five published frost photographs
ICE_CONTRAST = 0.09  # mean standard deviation of 224x224 crops of them


def plasma(n: int, side: int, decay: float, generator: Generator) -> Tensor:
    """Draw plasma fractals by the diamond-square method on a torus.

    Every new point is the mean of its four neighbours plus a uniform number within a^2; a starts at
    100 and is divided by ``decay`` from one scale to the next.

    Args:
        n: How many.
        side: A power of 2.
        decay: Larger is smoother.
        generator: Source of the draws.

    Returns:
        (n, side, side) float32; minimum 0 and maximum 1 each.
    """
    field = torch.zeros(n, side, side, device=generator.device)
    step, amplitude = side, 100.0
    while step >= 2:
        half, size = step // 2, amplitude**2
        corners = field[:, ::step, ::step].clone()
        pair = corners + corners.roll(-1, 1)
        centres = _displaced(pair + pair.roll(-1, 2), size, generator)
        field[:, half::step, half::step] = centres
        across = corners + corners.roll(-1, 2) + centres + centres.roll(1, 1)
        field[:, ::step, half::step] = _displaced(across, size, generator)
        down = pair + centres + centres.roll(1, 2)
        field[:, half::step, ::step] = _displaced(down, size, generator)
        step, amplitude = half, amplitude / decay
    field -= field.amin((1, 2), keepdim=True)
    return field / field.amax((1, 2), keepdim=True).clamp(min=1e-12)


def _displaced(total: Tensor, size: float, generator: Generator) -> Tensor:
    """Return the mean of four points, of which ``total`` is the sum, plus U(-size, size)."""
    return total / 4 + size * (2 * uniform(total.shape, generator) - 1)


def plasma_for(x: Tensor, decay: float, generator: Generator) -> Tensor:
    """Draw the upper left of one plasma fractal per image of ``x``, (N, 1, H, W)."""
    side = 1 << (max(x.shape[-2:]) - 1).bit_length()
    field = plasma(len(x), max(side, 2), decay, generator)
    return field[:, None, : x.shape[-2], : x.shape[-1]].to(x)


def ice(n: int, height: int, width: int, scale: float, generator: Generator) -> Tensor:
    """Draw frost that is ours: feathers of ice, each grown from a random point at a random angle.

    Every pixel belongs to the nearest of points scattered over a bent grid; in the frame of that
    crystal, barbs leave a bright spine at 60 degrees. Two sizes of crystals lie over each other;
    plasma bends the grid, breaks up the barbs and gives the slow changes of brightness. Mean colour
    and contrast are those of the published photographs; the shapes are only like theirs.

    Args:
        n: How many.
        height: Rows.
        width: Columns.
        scale: Size of everything, 1 for images of 224 pixels.
        generator: Source of the draws.

    Returns:
        (n, 3, height, width) float32 in [0, 1].
    """
    side = max(2, 1 << (max(height, width) - 1).bit_length())
    bend, slow, grain = (
        plasma(n, side, decay, generator)[:, :height, :width] for decay in (2.0, 1.6, 1.02)
    )
    grey = 0.6 * slow
    for weight, size in ((1.0, 1.0), (0.8, 0.4)):
        grey = grey + weight * _feathers(bend, grain, CELL * scale * size, generator)
    grey = grey - grey.mean((1, 2), keepdim=True)
    grey = grey * (ICE_CONTRAST / grey.std((1, 2), keepdim=True).clamp(min=1e-6))
    colour = torch.tensor(ICE_BLUE, device=grey.device).reshape(1, 3, 1, 1)
    return (colour + grey[:, None]).clamp(0, 1)


def _feathers(bend: Tensor, grain: Tensor, cell: float, generator: Generator) -> Tensor:
    """Return the brightness of spines and barbs, (n, H, W): 0 is none."""
    u, v = _crystal_frame(bend, cell, generator) / cell
    barb = 6 * (u - 0.58 * v.abs()) + 4 * bend + 2 * grain
    barbs = (2 * (barb - barb.floor()) - 1).abs() * torch.exp(-1.5 * v.abs())
    spine = torch.exp(-20 * v.abs())
    return (barbs + 0.8 * spine) * (0.3 + grain)


def _crystal_frame(bend: Tensor, cell: float, generator: Generator) -> Tensor:
    """Return where every pixel lies along and across its nearest crystal, (2, n, H, W) pixels."""
    n, height, width = bend.shape
    cells = (int(height / cell) + 4, int(width / cell) + 4)
    seeds = uniform((n, 3, *cells), generator)
    rows = torch.arange(height, device=bend.device)[:, None] / cell + 1.5 * bend
    columns = torch.arange(width, device=bend.device)[None, :] / cell + 1.5 * bend.flip(1, 2)
    image = torch.arange(n, device=bend.device)[:, None, None]
    nearest = torch.zeros_like(rows, dtype=torch.long)
    best = torch.full_like(bend, torch.inf)
    for step in range(9):
        row = (rows.long() + step // 3 - 1).clamp(0, cells[0] - 1)
        column = (columns.long() + step % 3 - 1).clamp(0, cells[1] - 1)
        down = rows - row - seeds[image, 0, row, column]
        across = columns - column - seeds[image, 1, row, column]
        distance = down**2 + across**2
        nearest = torch.where(distance < best, row * cells[1] + column, nearest)
        best = torch.minimum(distance, best)
    row, column = nearest // cells[1], nearest % cells[1]
    y, x, angle = (seeds[image, part, row, column] for part in range(3))
    down, across, turn = rows - row - y, columns - column - x, 2 * torch.pi * angle
    along = down * turn.sin() + across * turn.cos()
    return cell * torch.stack([along, down * turn.cos() - across * turn.sin()])


def pictures(folder: Path) -> list[Path]:
    """Return the pictures in a folder, sorted by name.

    Raises:
        DataError: If there are none.
    """
    from noiseedit.imaging import IMAGE_SUFFIXES

    found = sorted(path for path in folder.glob('*') if path.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise DataError(f'{folder}: expected a folder with pictures, found none')
    return found


def crops(
    files: Sequence[Path], n: int, height: int, width: int, scale: float, generator: Generator
) -> Tensor:
    """Draw a picture and a random part of it for every image.

    Args:
        files: The pictures.
        n: How many parts.
        height: Rows.
        width: Columns.
        scale: Pictures are resized by this first, and enlarged where still too small.
        generator: Source of the draws.

    Returns:
        (n, 3, height, width) float32 in [0, 1].
    """
    parts = []
    for which, down, across in uniform((n, 3), generator).tolist():
        picture = _picture(files[int(which * len(files))], height, width, scale)
        top = int(down * (picture.shape[0] - height + 1))
        left = int(across * (picture.shape[1] - width + 1))
        parts.append(torch.from_numpy(picture[top : top + height, left : left + width].copy()))
    return torch.stack(parts).permute(0, 3, 1, 2).float().div_(255).to(generator.device)


@lru_cache(maxsize=16)
def _picture(path: Path, height: int, width: int, scale: float) -> np.ndarray:
    """Return a picture, (H', W', 3) uint8, resized and no smaller than (height, width)."""
    import cv2

    from noiseedit.imaging import read_image, to_integers

    picture = to_integers(read_image(path))
    rows, columns = (max(1, round(scale * side)) for side in picture.shape[:2])
    grow = max(1.0, height / rows, width / columns)
    size = (max(width, round(columns * grow)), max(height, round(rows * grow)))
    return picture if size == picture.shape[1::-1] else np.asarray(cv2.resize(picture, size))

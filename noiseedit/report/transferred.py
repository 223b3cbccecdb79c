"""Pictures of transferred noise: clean, reference, generated, and what really was there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from noiseedit.errors import DataError
from noiseedit.imaging import to_float
from noiseedit.report.look import new_figure, save_figure
from noiseedit.report.noise_curves import draw_noise_curves
from noiseedit.report.noise_sheet import centre

PANEL_INCHES = 2.6
SHOWN_STD = 0.15  # standard deviation of magnified noise
MOST = 20  # times that noise is magnified at most


def draw_transfer(images: Mapping[str, np.ndarray], path: str | Path, crop: int = 128) -> int:
    """Draw crops from the middle: clean, reference, generated, real; below, the noise magnified.

    Args:
        images: ``clean``, ``reference``, ``generated`` and, where there is one, ``real``:
            (H, W, C) uint8 or float in [0, 1]; all but the reference of one size.
        path: PNG.
        crop: Side of the crops in pixels.

    Returns:
        How many times the noise was magnified.

    Raises:
        DataError: If sizes differ.
    """
    shown = {name: to_float(image) for name, image in images.items()}
    noises = _noises(shown)
    gain = _gain(next(reversed(noises.values())))
    panels = [
        {name: centre(image, crop) for name, image in shown.items()},
        {name: 0.5 + gain * centre(noise, crop) for name, noise in noises.items()},
    ]
    with new_figure(PANEL_INCHES * len(shown), 2 * PANEL_INCHES + 0.5) as figure:
        grid = figure.subplots(2, len(shown), squeeze=False)
        for axis, (row, name) in zip(
            grid.flat, [(row, name) for row in panels for name in shown], strict=True
        ):
            axis.set_axis_off()
            if name in row:
                axis.imshow(_rgb(row[name]), interpolation='nearest')
                axis.set_title(name if row is panels[0] else f'noise x {gain}: {name}')
        save_figure(figure, path)
    return gain


def draw_curves(images: Mapping[str, np.ndarray], path: str | Path) -> dict[str, float]:
    """Draw the noise curves of real and generated noise; return their standard deviations.

    Args:
        images: ``clean``, ``real`` and ``generated``; see :func:`draw_transfer`.
        path: PNG; see :func:`~noiseedit.report.noise_curves.draw_noise_curves`.

    Returns:
        Name -> root mean square of the noise in grey levels.
    """
    noisy = {name: images[name] for name in ('real', 'generated')}
    noises = _noises({name: to_float(image) for name, image in images.items()})
    draw_noise_curves(noisy, images['clean'], path)
    return {name: 255 * float(np.sqrt(np.mean(np.square(noises[name])))) for name in noisy}


def _noises(images: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the noise of what is clean plus noise: generated and real."""
    clean = images['clean']
    noisy = {name: images[name] for name in ('generated', 'real') if name in images}
    for name, image in noisy.items():
        if image.shape != clean.shape:
            raise DataError(
                f'picture of transferred noise: expected {name} of the shape of clean, '
                f'{clean.shape}, got {image.shape}'
            )
    return {name: image - clean for name, image in noisy.items()}


def _gain(noise: np.ndarray) -> int:
    return int(np.clip(round(SHOWN_STD / max(float(noise.std()), 1e-6)), 1, MOST))


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip(image, 0, 1), 3 // image.shape[2], axis=2)

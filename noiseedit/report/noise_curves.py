"""Noise of images beside each other: variance over intensity, autocorrelation over lags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noiseedit.errors import DataError
from noiseedit.report.look import COLOURS, line_look, new_figure, save_figure
from noiseedit.seeding import derive_seed
from noiseedit.theory.noise_curves import LevelCurve, autocorrelation, noise_level_function

DIRECTIONS = (('across', '-'), ('down', (0, (4, 2))))


def draw_noise_curves(
    noisy: Mapping[str, np.ndarray], clean: np.ndarray, path: str | Path, max_lag: int = 8
) -> dict[str, LevelCurve]:
    """Draw what tells noises of one clean image apart; return the curves of variance.

    Left: variance of the noise over intensity, in squared grey levels, a dot per bin, larger where
    it holds more values. Right: autocorrelation across (solid) and down (dashed).

    Args:
        noisy: Label -> noisy image, (H, W, C) uint8 or float in [0, 1].
        clean: The clean image, likewise.
        path: PNG (or any suffix that matplotlib knows).
        max_lag: Of the autocorrelation, in pixels.

    Raises:
        DataError: If there is no noisy image, or one has another shape.
    """
    if not noisy:
        raise DataError('noise curves: expected at least one noisy image, got none')
    base = grey_levels(clean)
    images = {label: grey_levels(image) for label, image in noisy.items()}
    curves = {label: noise_level_function(image, base) for label, image in images.items()}
    with new_figure(9.6, 4.0) as figure:
        left, right = figure.subplots(1, 2)
        for place, (label, curve) in enumerate(curves.items()):
            look = {'color': COLOURS[place % len(COLOURS)]}
            _draw_levels(left, curve, label, line_look(place))
            for values, (_, dashes) in zip(
                autocorrelation(images[label] - base, max_lag), DIRECTIONS, strict=True
            ):
                right.plot(values, linestyle=dashes, marker='.', linewidth=1.4, **look)
        _label(left, right)
        figure.legend(loc='outside lower center', ncols=min(4, len(curves)))
        save_figure(figure, path)
    return curves


def grey_levels(image: np.ndarray) -> np.ndarray:
    """Return an image in grey levels, float64: uint8 as it is, float times 255."""
    return image.astype(np.float64) * (1 if image.dtype == np.uint8 else 255)


def with_gaussian(
    noisy: Mapping[str, np.ndarray], clean: np.ndarray, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return ``noisy`` and the clean image with white Gaussian noise of the first one's power.

    Args:
        noisy: Label -> (H, W, C).
        clean: The same shape.
        seed: Of the Gaussian noise, which is rounded and saturated to 8 bits.
    """
    base = grey_levels(clean)
    sigma = float((grey_levels(next(iter(noisy.values()))) - base).std())
    rng = np.random.default_rng(derive_seed(seed, 'eval', 'with_gaussian'))
    drawn = np.clip(np.rint(base + rng.normal(0, sigma, base.shape)), 0, 255)
    return {**noisy, f'Gaussian, sigma {sigma:.1f}': drawn.astype(np.uint8)}


def _draw_levels(axis: Any, curve: LevelCurve, label: str, look: dict[str, Any]) -> None:
    sizes = 8 + 40 * curve.count / curve.count.max()
    axis.plot(
        curve.intensity, curve.variance, label=label, color=look['color'],
        linestyle=look['linestyle'], linewidth=1.2,
    )  # fmt: skip
    axis.scatter(curve.intensity, curve.variance, sizes, color=look['color'], marker=look['marker'])


def _label(left: Any, right: Any) -> None:
    left.set_title('noise level function')
    left.set_xlabel('clean intensity, grey levels')
    left.set_ylabel('variance of the noise, grey levels squared')
    left.set_ylim(bottom=0)
    right.set_title('autocorrelation')
    right.set_xlabel('shift in pixels: across solid, down dashed')
    right.axhline(0, color='#888888', linewidth=0.8)

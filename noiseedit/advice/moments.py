"""What any noise does to clean patches: measured on images with the noise itself.

Everything is measured twice, with independent noise. The product of two independent errors has
mean 0, so that squares of small quantities come out unbiased from few images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike

from noiseedit.errors import DataError
from noiseedit.noises.base import BaseNoise
from noiseedit.theory.checks import Array
from noiseedit.theory.patches import PatchStatistics, cut_patches, whole_numbers
from noiseedit.theory.streaming import load_image
from noiseedit.theory.units import range_limits, range_width

Kind: TypeAlias = Literal['white', 'coloured', 'signal-dependent', 'general']

BIAS = 0.005  # of the noise energy: less bias than that does not count
VARIATION = 0.01  # squared: less colour or dependence does not count
VALUES = 16  # bins of pixel values in [0, 1]
EDGE = 512  # larger images are measured in a centred crop of this edge
PATCHES = 8192  # at least so many for each of the two measurements


@dataclass(frozen=True, eq=False)
class NoiseMoments:
    """Noise at one level, in the value range of the statistics it was measured with.

    Attributes:
        variance: Mean square of (noisy - clean) per element.
        energy: What the noise adds to the second moment along each eigenvector, shape ``(d,)``.
        bias: Share of the mean square that is due to E[noisy | clean pixel] not being the pixel.
        colour: Squared coefficient of variation of the noise energy over the eigenvectors, without
            what is a multiple of the image.
        dependence: The same of the noise variance over pixel values.
    """

    variance: float
    energy: Array
    bias: float
    colour: float
    dependence: float

    @property
    def kind(self) -> Kind:
        """The strongest deviation from white noise: bias, then colour, then dependence."""
        if self.bias > BIAS:
            return 'general'
        if self.colour > VARIATION:
            return 'coloured'
        return 'signal-dependent' if self.dependence > VARIATION else 'white'


def measure(
    noise: BaseNoise, images: Sequence[Path], statistics: PatchStatistics, seed: int = 0
) -> NoiseMoments:
    """Apply ``noise`` to images and measure it against the clean patches.

    Luma statistics are measured on grey images: the noise acts on what the spectrum is of. Each
    image is taken from its centre, up to 512 x 512; few images are repeated with new noise.

    Args:
        noise: What to measure.
        images: Files; each key of the stream ``eval`` is the number of the image.
        statistics: Of the clean patches: mean, eigenvectors, patch size, channels.
        seed: Base seed.

    Raises:
        DataError: If an image cannot be read, or the noise does not change any pixel.
    """
    planes = [_planes(file, statistics) for file in images]
    patches = sum(x.shape[1] * x.shape[2] for x in planes) // statistics.patch_size**2
    repetitions = 2 * max(1, -(-PATCHES // patches))
    halves = [_Half(statistics), _Half(statistics)]
    for repetition in range(repetitions):
        for number, x in enumerate(planes):
            noisy = noise.per_sample(
                torch.from_numpy(x)[None], [number], seed, repetition=repetition
            )
            halves[repetition % 2].add(x, noisy[0].numpy())
    return _combine(halves, noise)


def _planes(file: Path, statistics: PatchStatistics) -> np.ndarray:
    """Return (C, H, W) float32 in [0, 1]; whole patches."""
    image = load_image(file)
    tops = [max(0, (edge - EDGE) // 2) for edge in image.shape[:2]]
    crop = image[tops[0] : tops[0] + EDGE, tops[1] : tops[1] + EDGE]
    planes, scale = whole_numbers(crop, statistics.channels)
    height, width = (
        edge // statistics.patch_size * statistics.patch_size for edge in crop.shape[:2]
    )
    return np.ascontiguousarray(planes[:, :height, :width] / np.float32(scale), np.float32)


class _Half:
    """Sums of one of the two measurements."""

    def __init__(self, statistics: PatchStatistics) -> None:
        self.statistics = statistics
        self.count = 0
        self.own = np.zeros(statistics.dimension)  # E[(u d)^2]
        self.cross = np.zeros(statistics.dimension)  # E[(u (x - m)) (u d)]
        self.clean = np.zeros(statistics.dimension)  # E[(u (x - m))^2]
        self.pixels = np.zeros((3, VALUES))  # number, sum of d, sum of d^2 per pixel value

    def add(self, clean: np.ndarray, noisy: np.ndarray) -> None:
        """Add an image, (C, H, W) in [0, 1]."""
        statistics, width = self.statistics, range_width(self.statistics.value_range)
        if noisy.shape != clean.shape:
            raise DataError(f'noise: expected images of shape {clean.shape}, got {noisy.shape}')
        error = noisy.astype(np.float64) - clean
        x = self._project(clean * width + range_limits(statistics.value_range)[0], statistics.mean)
        d = self._project(error * width, 0.0)
        self.count += len(x)
        self.own += np.sum(d**2, axis=0)
        self.cross += np.sum(x * d, axis=0)
        self.clean += np.sum(x**2, axis=0)
        self._add_pixels(clean, error * width)

    def _project(self, planes: np.ndarray, mean: ArrayLike) -> Array:
        patches = cut_patches(planes.astype(np.float64), self.statistics.patch_size, joint=True)[0]
        return (patches - mean) @ self.statistics.eigenvectors

    def _add_pixels(self, clean: np.ndarray, error: Array) -> None:
        bins = np.clip(clean * VALUES, 0, VALUES - 1).astype(np.int64).ravel()
        for row, weights in enumerate((None, error.ravel(), error.ravel() ** 2)):
            self.pixels[row] += np.bincount(bins, weights, VALUES)


def _combine(halves: Sequence[_Half], noise: BaseNoise) -> NoiseMoments:
    own, cross, clean = (
        np.array([getattr(half, name) / half.count for half in halves])
        for name in ('own', 'cross', 'clean')
    )
    variance = float(own.mean())
    if not np.isfinite(variance) or variance <= 0:
        raise DataError(f'noise {noise!r}: expected it to change pixels, mean square {variance!r}')
    number, means, squares = np.array([h.pixels for h in halves]).transpose(1, 0, 2)
    known = number[0] > 0
    share = number[0, known] / number[0].sum()
    means, squares = (sums[:, known] / number[:, known] for sums in (means, squares))
    return NoiseMoments(
        variance=variance,
        energy=(own + 2 * cross).mean(axis=0),
        bias=float(np.sum(share * means[0] * means[1]) / variance),
        colour=_variation(own - _moved(cross, clean)),
        dependence=_variation(squares - means**2, share),
    )


def _moved(cross: Array, clean: Array) -> Array:
    """Return the energy of the part of the noise that is a multiple of the image."""
    slopes = cross.sum(axis=1) / clean.sum(axis=1)
    return slopes[0] * slopes[1] * clean.mean(axis=0)


def _variation(pair: Array, weights: Array | None = None) -> float:
    """Return the squared coefficient of variation that two independent measurements share."""
    share = np.full(pair.shape[1], 1 / pair.shape[1]) if weights is None else weights
    centre = pair @ share
    deviations = pair / np.maximum(centre, 1e-300)[:, None] - 1
    return float(np.sum(share * deviations[0] * deviations[1]))

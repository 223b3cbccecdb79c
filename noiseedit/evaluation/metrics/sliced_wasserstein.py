"""Sliced Wasserstein distance of patches of Laplacian pyramids (Karras et al., ICLR 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.chosen import chosen_part, first_keys, gather_chosen
from noiseedit.evaluation.metrics.set_metric import Part, SetMetric, SetValue
from noiseedit.evaluation.profiles import Array
from noiseedit.evaluation.saving import to_uint8
from noiseedit.registry import METRICS
from noiseedit.seeding import derive_seed

PATCH = 7
SMALLEST_SIDE = 16
PATCHES, REPEATS, DIRECTIONS = 128, 4, 128
AT_ONCE = 16  # directions that are projected and sorted together
MIN_STD = 1e-6  # grey levels: a channel without any detail stays 0


@METRICS.register_module()
class SlicedWasserstein(SetMetric):
    """Sliced Wasserstein distance of local patches, times 1000, per scale and on average.

    Each image becomes a Laplacian pyramid down to 16 pixels; of each level 128 patches of 7x7
    pixels are taken per image, normalised to mean 0 and standard deviation 1 per channel over each
    set, and projected onto 4 x 128 random directions. The distance is the mean difference of sorted
    projections. Needs no weights; lower is better. Fine levels tell texture and noise, the last one
    layout. Since every channel of a level is normalised, its contrast alone does not count.

    Values are ``SWDx1e3(mean,...)`` and one per level, ``SWDx1e3(32px,...)``, with the standard
    deviation over the 4 repetitions. They fall with the number of images (two halves of natural
    images of 32x32 pixels: 13 of 1000 each, 6 of 4000): compare sets of one size. At most
    ``max_images`` are taken, by the seed and their keys; each needs 74 KiB of memory per set of
    RGB images.

    Images are rounded to 8 bits. Patches of an image lie where its key and the seed say, in both
    sets alike (a set against itself has 0); directions depend on the seed alone.

    Args:
        image_size: Side of the images in pixels, or (height, width); no less than 16.
        max_images: Of how many images patches are taken.
        seed: Of patches, directions and the choice of images.

    Raises:
        ConfigError: If a number is out of range.
    """

    def __init__(
        self, image_size: int | Sequence[int] = 32, max_images: int = 4096, seed: int = 0
    ) -> None:
        super().__init__()
        self.size = _size(image_size)
        if max_images < 2:
            raise ConfigError(f'SlicedWasserstein max_images: expected >= 2, got {max_images!r}')
        self.max_images, self.seed = max_images, seed
        self.sides = level_sides(min(self.size))
        self._protocol = (
            f'{PATCH}x{PATCH}x{PATCHES},{REPEATS}x{DIRECTIONS},levels {self.sides[0]}-'
            f'{self.sides[-1]},images<={max_images}'
        )
        self.name = f'SWDx1e3(mean,{self._protocol})'

    @property
    def value_names(self) -> tuple[str, ...]:
        """The mean, then each level by its side, the finest first."""
        return self.name, *(f'SWDx1e3({side}px,{self._protocol})' for side in self.sides)

    @property
    def vector_kind(self) -> str:
        """Pixels."""
        return 'shape and pixels,uint8'

    def vectors(self, images: Sequence[Tensor]) -> Array:
        """Return height, width and channels (two bytes each) and the pixels, (n, 6 + H W C) uint8.

        Raises:
            DataError: If an image is not of the size that the metric was built for.
        """
        return np.stack([_packed(self._checked(to_uint8(image.float()))) for image in images])

    def _checked(self, image: Array) -> Array:
        if image.shape[:2] != self.size:
            raise DataError(
                f'{self.name}: expected images of {self.size[0]}x{self.size[1]} pixels, got '
                f'{image.shape[0]}x{image.shape[1]}; give image_size=(height, width)'
            )
        return image

    def _first(self, keys: Sequence[str]) -> list[str]:
        return first_keys(keys, self.max_images, self.seed, 'SWD')

    def summarise(self, part: Part) -> Any:
        """Return pixels of as many images as can count, and the number of all."""
        return chosen_part(part, self._first)

    def combine(self, summaries: Sequence[Any]) -> dict[str, SetValue]:
        """Return the mean over levels and the value of each."""
        total, keys, *sides = gather_chosen(summaries, self._first)
        pred, target = (np.stack([_unpacked(row) for row in side]) for side in sides)
        levels = np.array(
            [
                sliced_distances(
                    descriptors(pred, keys, level, self.seed),
                    descriptors(target, keys, level, self.seed),
                    derive_seed(self.seed, 'eval', 'SWD directions', side),
                )
                for level, side in enumerate(self.sides)
            ]
        )
        rows = 1000 * np.vstack([levels.mean(axis=0), levels])
        return {
            name: SetValue(float(row.mean()), total, float(row.std(ddof=1)), 'projections')
            for name, row in zip(self.value_names, rows, strict=True)
        }


def _size(image_size: int | Sequence[int]) -> tuple[int, int]:
    sides = (image_size,) * 2 if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2 or min(sides) < SMALLEST_SIDE:
        raise ConfigError(
            f'SlicedWasserstein image_size: expected a side or (height, width) of at least '
            f'{SMALLEST_SIDE} pixels, got {image_size!r}'
        )
    return sides[0], sides[1]


def _packed(image: Array) -> Array:
    return np.concatenate([np.array(image.shape, '<u2').view(np.uint8), image.reshape(-1)])


def _unpacked(row: Array) -> Array:
    return row[6:].reshape(row[:6].copy().view('<u2'))


# The measure.


def level_sides(side: int) -> list[int]:
    """Return the shorter sides of the pyramid's levels, halved while they are at least 16."""
    sides = [side]
    while (half := (sides[-1] + 1) // 2) >= SMALLEST_SIDE:
        sides.append(half)
    return sides


def laplacian_level(image: Array, level: int) -> Array:
    """Return a level of the Laplacian pyramid of (H, W, C) float32; the last holds the rest.

    Levels are halved with the binomial filter of 5 x 5 pixels, mirrored at the edges; each but the
    last is what its smaller copy, doubled, does not say (Burt and Adelson 1983).
    """
    import cv2

    for _ in range(level):
        image = cv2.pyrDown(image)
    smaller = cv2.pyrDown(image)
    if min(smaller.shape[:2]) < SMALLEST_SIDE:
        return image.reshape(*image.shape[:2], -1)
    rest = image - cv2.pyrUp(smaller, dstsize=image.shape[1::-1]).reshape(image.shape)
    return np.asarray(rest.reshape(*image.shape[:2], -1))


def descriptors(images: Array, keys: Sequence[str], level: int, seed: int) -> Array:
    """Return normalised patches of one level, (n 128, C 49) float32.

    Args:
        images: (n, H, W, C) uint8.
        keys: Of the images: each draws its places from its key.
        level: 0: the finest.
        seed: The user's.
    """
    count, channels = len(images), images.shape[-1]
    found = np.empty((count, PATCHES, channels, PATCH, PATCH), np.float32)
    for index, (image, key) in enumerate(zip(images, keys, strict=True)):
        detail = laplacian_level(image.astype(np.float32), level)
        found[index] = _patches(detail, derive_seed(seed, 'eval', 'SWD patches', level, key))
    mean = found.mean(axis=(0, 1, 3, 4), dtype=np.float64, keepdims=True)
    found -= mean.astype(np.float32)
    power = np.einsum('npchw,npchw->c', found, found, dtype=np.float64, casting='unsafe')
    std = np.sqrt(power / (found.size / channels))
    found /= np.maximum(std, MIN_STD).astype(np.float32)[:, None, None]
    return found.reshape(count * PATCHES, -1)


def _patches(image: Array, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    windows = sliding_window_view(image, (PATCH, PATCH), axis=(0, 1))  # type: ignore[call-overload]
    rows, columns = (rng.integers(0, places, PATCHES) for places in windows.shape[:2])
    return np.asarray(windows[rows, columns])


def sliced_distances(a: Array, b: Array, seed: int) -> Array:
    """Return the sliced Wasserstein distance per repetition of 128 random directions, (4,).

    The mean over directions of ``mean |sort(a . d) - sort(b . d)|``: both sets have n rows.
    """
    rng = np.random.default_rng(seed)
    return np.array([_mean_over_directions(a, b, rng) for _ in range(REPEATS)])


def _mean_over_directions(a: Array, b: Array, rng: np.random.Generator) -> float:
    directions = rng.standard_normal((DIRECTIONS, a.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    some = (directions[i : i + AT_ONCE] for i in range(0, DIRECTIONS, AT_ONCE))
    parts = [_distances(part.astype(np.float32), a, b) for part in some]
    return float(np.concatenate(parts).mean())


def _distances(directions: Array, a: Array, b: Array) -> Array:
    first, second = (directions @ points.T for points in (a, b))
    first.sort(axis=1)
    second.sort(axis=1)
    first -= second
    return np.asarray(np.abs(first, out=first).mean(axis=1, dtype=np.float64))

"""Mean and covariance of image patches, image by image in constant memory.

Sums are sums of whole numbers, exact in float64: of 8-bit levels, or thousandths of a level for
luma and for floats (finer than 16 bits). Neither threads, processes nor the order of additions
within an image can therefore change a bit; images are added in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal, TypeAlias

import numpy as np

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory import checks
from noiseedit.theory.checks import Array
from noiseedit.theory.streaming import Images, Progress, map_images
from noiseedit.theory.units import range_limits, range_width

Channels: TypeAlias = Literal['luma', 'rgb', 'each']

LUMA_THOUSANDTHS = (299, 587, 114)
STEPS = 255_000  # of [0, 1]: luma in thousandths of a level
BLOCK = 2048  # patches at a time; 2048 * (5 * STEPS)^2 < 2^53
BINS = 256


@dataclass(frozen=True, eq=False)
class PatchStatistics:
    """Moments of the patches of a set of images, in the units of ``value_range``.

    Attributes:
        count: Patches, ``n``.
        images: Images they come from.
        mean: Mean patch, shape ``(d,)``; elements run over channel, row, column.
        covariance: Shape ``(d, d)``, with 1/n; for ``channels='each'`` block diagonal.
        histogram: Pixels (of luma, or of all channels) per level: level i holds the values in
            [0, 1] that round to i / 255; what lies outside is counted at the ends. Shape (256,).
        patch_size: ``p``: d is p^2 for luma, 3 p^2 else.
        channels: ``'luma'``, ``'rgb'`` or ``'each'``.
        value_range: What the moments are in.
    """

    count: int
    images: int
    mean: Array
    covariance: Array
    histogram: np.ndarray
    patch_size: int
    channels: Channels
    value_range: str

    @property
    def dimension(self) -> int:
        """``d``, the elements of a patch."""
        return self.mean.size

    @cached_property
    def _decomposition(self) -> tuple[Array, Array]:
        values, vectors = np.linalg.eigh(self.covariance)
        return values[::-1].copy(), vectors[:, ::-1].copy()

    @property
    def eigenvalues(self) -> Array:
        """Eigenvalues of the covariance, descending, as they come: neither floored nor >= 0."""
        return self._decomposition[0]

    @property
    def eigenvectors(self) -> Array:
        """Orthonormal, shape ``(d, d)``: column i belongs to eigenvalue i."""
        return self._decomposition[1]

    @property
    def moments(self) -> tuple[float, float]:
        """``E[x]`` and ``E[x^2]`` over all pixels, in ``value_range``."""
        power = np.trace(self.covariance) / self.dimension + np.mean(self.mean**2)
        return float(self.mean.mean()), float(power)

    def share_near_limits(self, sigma: float, multiple: float = 2.0) -> float:
        """Return the share of pixels within ``multiple * sigma`` of black or white.

        Args:
            sigma: Standard deviation of the noise, in ``value_range``.
            multiple: How many of them count as near.

        Raises:
            ConfigError: If one is negative or not finite.
        """
        reach = checks.number('sigma', sigma) * checks.number('multiple', multiple)
        levels = np.arange(BINS) / (BINS - 1)
        distance = np.minimum(levels, 1 - levels) * range_width(self.value_range)
        return float(self.histogram[distance <= reach].sum() / self.histogram.sum())


def patch_statistics(
    images: Images,
    patch_size: int = 8,
    channels: Channels = 'luma',
    *,
    value_range: str = '[-1,1]',
    workers: int = 1,
    progress: Progress | None = None,
) -> PatchStatistics:
    """Return mean and covariance of all patches of the images.

    Patches are p x p, side by side from the top left corner; a remainder at the right and at the
    bottom is left out. ``C = 1/n sum (x - m)(x - m)^T``. The same bits for any ``workers``. Images
    are held a few at a time, whatever their number.

    Args:
        images: A folder, or an iterable of paths and arrays (H, W), (H, W, 1), (H, W, 3): uint8 or
            floats in [0, 1] that noise may exceed, rounded to 1 / 255,000.
        patch_size: ``p``.
        channels: ``'luma'``: 0.299 R + 0.587 G + 0.114 B, not rounded, d = p^2; ``'rgb'``: the
            channels jointly, d = 3 p^2; ``'each'``: the same with no covariance between channels.
            A grey image is its own luma and is repeated else, so that joint ``'rgb'`` is singular.
        value_range: ``'[-1,1]'``, ``'[0,1]'`` or ``'uint8'``: units of the result.
        workers: Processes, see :func:`~noiseedit.theory.streaming.map_images`.
        progress: Wraps the stream of images done, as ``tqdm`` does; ``None``: none.

    Raises:
        ConfigError: If an option is none of these.
        DataError: If an image cannot be read or used or is smaller than a patch (named), or there
            are too few patches: n <= d (p^2 for ``'each'``) leaves the covariance singular.
    """
    patch_size = checks.whole('patch_size', patch_size, low=2)
    check_channels(channels, ('luma', 'rgb', 'each'))
    range_limits(value_range)
    work = partial(_image_sums, patch_size=patch_size, channels=channels)
    sums, done = PatchSums(), 0
    histogram: np.ndarray = np.zeros(BINS, np.int64)
    for found, levels in map_images(work, images, workers, progress):
        sums, histogram, done = sums + found, histogram + levels, done + 1
    return _statistics(sums, histogram, done, patch_size, channels, value_range)


@dataclass(frozen=True, eq=False)
class PatchSums:
    """Sums over patches of values in [0, 1]: one group of ``k = d``, or one per channel.

    Attributes:
        count: Patches, ``n``.
        total: Sum of the patches, shape ``(groups, k)``.
        outer: Sum of their outer products, shape ``(groups, k, k)``.
    """

    count: int = 0
    total: Array | float = 0.0
    outer: Array | float = 0.0

    @property
    def mean(self) -> Array:
        """Mean patch, shape ``(groups, k)``."""
        return self.total / self.count

    @property
    def covariance(self) -> Array:
        """Covariance with 1/n, shape ``(groups, k, k)``."""
        return self.outer / self.count - self.mean[:, :, None] * self.mean[:, None, :]

    def __add__(self, other: PatchSums) -> PatchSums:
        return PatchSums(
            self.count + other.count, self.total + other.total, self.outer + other.outer
        )


def _statistics(
    sums: PatchSums,
    histogram: np.ndarray,
    images: int,
    patch_size: int,
    channels: Channels,
    value_range: str,
) -> PatchStatistics:
    count, k = sums.count, sums.mean.shape[1]
    if count <= k:
        raise DataError(
            f'images: {count} patches of {k} elements from {images} images leave the covariance '
            f'singular; give more images or a smaller patch_size than {patch_size}'
        )
    from scipy.linalg import block_diag

    width = range_width(value_range)
    return PatchStatistics(
        count=count,
        images=images,
        mean=sums.mean.reshape(-1) * width + range_limits(value_range)[0],
        covariance=block_diag(*sums.covariance) * width**2,
        histogram=histogram,
        patch_size=patch_size,
        channels=channels,
        value_range=value_range,
    )


# One image.


def _image_sums(
    image: np.ndarray, name: str, *, patch_size: int, channels: Channels
) -> tuple[PatchSums, np.ndarray]:
    height, width = image.shape[:2]
    if min(height, width) < patch_size:
        raise DataError(
            f'{name}: {height} x {width} is smaller than a patch of {patch_size} x {patch_size}'
        )
    used = image[: height // patch_size * patch_size, : width // patch_size * patch_size]
    planes, scale = whole_numbers(used, channels)
    sums = patch_sums(planes, scale, patch_size, joint=channels != 'each')
    return sums, _histogram(planes, scale)


def patch_sums(planes: np.ndarray, scale: float, patch_size: int, *, joint: bool) -> PatchSums:
    """Return the sums over the patches of one image, strip by strip.

    Args:
        planes: (C, H, W) of whole numbers; a remainder of H and W is left out.
        scale: What they are divided by.
        patch_size: ``p``.
        joint: One group of all planes; else one per plane.
    """
    height, width = (edge // patch_size * patch_size for edge in planes.shape[1:])
    rows = max(1, BLOCK * patch_size // width) * patch_size
    sums = PatchSums()
    for top in range(0, height, rows):
        strip = planes[:, top : min(top + rows, height), :width]
        patches = cut_patches(strip, patch_size, joint=joint)
        outer = np.stack([group.T @ group for group in patches])
        sums += PatchSums(patches.shape[1], patches.sum(axis=1), outer)
    return PatchSums(sums.count, sums.total / scale, sums.outer / scale**2)


def whole_numbers(image: np.ndarray, channels: Channels) -> tuple[np.ndarray, float]:
    """Return planes (1 or 3, H, W) of whole numbers, and what 1 of [0, 1] is in them.

    Args:
        image: (H, W, 1 or 3), uint8 or float64.
        channels: ``'luma'``: one plane; else three.
    """
    planes = np.moveaxis(np.broadcast_to(image, (*image.shape[:2], 3)), 2, 0)
    if image.dtype != np.uint8:
        planes = _luma(planes, np.float64)[None] / 1000 if channels == 'luma' else planes
        return np.rint(planes * STEPS), float(STEPS)
    if channels == 'luma':
        return _luma(planes, np.float32)[None], float(STEPS)  # below 2^24: exact in float32
    return planes, 255.0


def _luma(planes: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    red, green, blue = (
        plane * dtype(weight) for plane, weight in zip(planes, LUMA_THOUSANDTHS, strict=True)
    )
    return red + green + blue


def cut_patches(planes: np.ndarray, patch_size: int, joint: bool) -> Array:
    """Return the patches (groups, n, k): one group of all planes, or one per plane."""
    depth, height, width = planes.shape
    grid = (height // patch_size, width // patch_size)
    cells = planes.reshape(depth, grid[0], patch_size, grid[1], patch_size)
    order = (1, 3, 0, 2, 4) if joint else (0, 1, 3, 2, 4)
    patches = cells.transpose(order).astype(np.float64, order='C')
    return patches.reshape(1 if joint else depth, grid[0] * grid[1], -1)


def _histogram(planes: np.ndarray, scale: float) -> np.ndarray:
    levels = planes
    if planes.dtype != np.uint8:
        step = planes.dtype.type(scale / (BINS - 1))
        levels = np.clip(np.rint(planes / step), 0, BINS - 1).astype(np.uint8)
    return np.bincount(levels.reshape(-1), minlength=BINS)


def check_channels(channels: str, known: tuple[str, ...]) -> None:
    """Refuse what is none of ``known``.

    Raises:
        ConfigError: If ``channels`` is none of them.
    """
    if channels not in known:
        raise ConfigError(f'channels: expected one of {", ".join(known)}, got {channels!r}')

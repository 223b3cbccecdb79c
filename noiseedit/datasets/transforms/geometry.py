"""Crops, sizes and symmetries; images of one size in one sample share every draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np

from noiseedit.datasets.transforms.base import Transform
from noiseedit.errors import ConfigError, DataError
from noiseedit.registry import TRANSFORMS

Size: TypeAlias = int | Sequence[int]


def height_width(size: Size) -> tuple[int, int]:
    """Return an edge or (height, width) as (height, width).

    Raises:
        ConfigError: If one is not positive.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if height < 1 or width < 1:
        raise ConfigError(f'size: expected positive pixels or (height, width), got {size!r}')
    return height, width


class _Crop(Transform):
    """Base of crops.

    Args:
        size: Edge, or (height, width), in pixels.

    Raises:
        DataError: If an image is smaller; names key and sizes.
    """

    def __init__(self, size: Size) -> None:
        self.size = height_width(size)

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Cut ``size`` out of the image."""
        rows, columns = (have - want for have, want in zip(image.shape, self.size, strict=False))
        if rows < 0 or columns < 0:
            raise DataError(
                f'{results["key"]!r}: cannot crop {self.size} out of {image.shape[:2]} '
                '(height, width); take a smaller crop or Resize first'
            )
        top, left = self.corner(results, rows, columns)
        return image[top : top + self.size[0], left : left + self.size[1]]

    def corner(self, results: dict[str, Any], rows: int, columns: int) -> list[int]:
        """Return top and left, at most ``rows`` and ``columns``."""
        raise NotImplementedError(f'{type(self).__name__} must implement corner')


@TRANSFORMS.register_module()
class RandomCrop(_Crop):
    """Cut out ``size`` at a random place, the same in all images of one size."""

    def corner(self, results: dict[str, Any], rows: int, columns: int) -> list[int]:
        """Draw the corner uniformly."""
        return self.draw(results, rows + 1, columns + 1)


@TRANSFORMS.register_module()
class CenterCrop(_Crop):
    """Cut out ``size`` in the middle (rounded towards the upper left)."""

    def corner(self, results: dict[str, Any], rows: int, columns: int) -> list[int]:
        """Return the corner of the central crop."""
        return [rows // 2, columns // 2]


@TRANSFORMS.register_module()
class Resize(Transform):
    """Resize by area averaging (smaller) or bicubic interpolation (larger).

    Args:
        size: Length of the shorter side, which keeps the aspect ratio, or (height, width).
    """

    def __init__(self, size: Size) -> None:
        height_width(size)
        self.size = size

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Resize the image."""
        height, width = image.shape[:2]
        if isinstance(self.size, int):
            scale = self.size / min(height, width)
            target = (max(1, round(height * scale)), max(1, round(width * scale)))
        else:
            target = height_width(self.size)
        return resize(image, target)


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return ``image`` (H, W, C) at (height, width); float results stay in [0, 1]."""
    if image.shape[:2] == size:
        return image
    smaller = size[0] <= image.shape[0] and size[1] <= image.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    resized = cv2.resize(np.ascontiguousarray(image), size[::-1], interpolation=method)
    resized = resized if resized.dtype == np.uint8 else resized.clip(0, 1)
    return resized.reshape(*size, image.shape[2])


@TRANSFORMS.register_module()
class RandomFlip(Transform):
    """Mirror all images of a sample with probability one half per direction.

    Args:
        horizontal: Mirror left and right.
        vertical: Mirror top and bottom.
    """

    def __init__(self, horizontal: bool = True, vertical: bool = False) -> None:
        self.horizontal, self.vertical = horizontal, vertical

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Mirror the image, or not."""
        left_right, top_bottom = self.draw(results, 2, 2)
        image = image[:, ::-1] if self.horizontal and left_right else image
        return image[::-1] if self.vertical and top_bottom else image


@TRANSFORMS.register_module()
class RandomDihedral(Transform):
    """Apply one of the eight symmetries of the square, the same to all images of a sample."""

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Turn by 0, 90, 180 or 270 degrees, then mirror or not."""
        turns, mirror = self.draw(results, 4, 2)
        image = np.rot90(image, turns)
        return image[:, ::-1] if mirror else image

"""A picture in the middle of a larger canvas, and the way back to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from noiseedit.datasets.transforms.base import Transform, images_of
from noiseedit.datasets.transforms.geometry import Size, height_width
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import to_float
from noiseedit.registry import TRANSFORMS

PICTURE = 'picture'
"""Name of the mask in a pipeline dict, (H, W, 1): white where the picture is, black around it."""

Window = tuple[int, int, int, int]
"""Top, left, height and width of the picture on its canvas, in pixels."""


@TRANSFORMS.register_module()
class PadTo(Transform):
    """Put the images of a sample in the middle of a canvas of one value (rounded up and left).

    A picture of 250 x 200 (height x width) on 256 x 256 covers rows 3 to 252 and columns 28 to 227;
    on 286 x 286 rows 18 to 267 and columns 43 to 242. Later crops and mirrors keep track of it: the
    sample's metainfo ``window`` says where it is at the end. Tests cut it out again before they
    score and save.

    Args:
        size: Edge of the canvas, or (height, width), in pixels.
        value: Value around the picture, 0 to 255 (255: white), or such a value per input:
            ``dict(source=127.5, target=0)``. An 8-bit image whose value is no integer becomes
            float32 in [0, 1].

    Raises:
        ConfigError: If a value is not in 0 to 255, or missing for an input.
        DataError: If an image is larger than the canvas, or the images differ in size.
    """

    def __init__(self, size: Size, value: float | Mapping[str, float] = 255) -> None:
        self.size, self.value = height_width(size), value
        for number in value.values() if isinstance(value, Mapping) else (value,):
            if not 0 <= number <= 255:
                raise ConfigError(f'PadTo: value: expected 0 (black) to 255 (white), got {number}')

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``results`` with padded images, and the mask of the picture among them."""
        images = images_of(results)
        sizes = {name: image.shape[:2] for name, image in images.items()}
        if len(set(sizes.values())) > 1:
            raise DataError(
                f'{results["key"]!r}: PadTo: expected images of one size, got {sizes} '
                '(height, width); Resize them first'
            )
        whole = np.full((*next(iter(sizes.values())), 1), 255, np.uint8)
        images.setdefault(PICTURE, whole)
        for name, image in images.items():
            results[name] = self._padded(image, name, results['key'])
        return results

    def _padded(self, image: np.ndarray, name: str, key: str) -> np.ndarray:
        rows, columns = (want - have for want, have in zip(self.size, image.shape, strict=False))
        if rows < 0 or columns < 0:
            raise DataError(
                f'{key!r}: PadTo: {name} is {image.shape[:2]} (height, width), larger than the '
                f'canvas {self.size}; take a larger canvas, or Resize or crop first'
            )
        image, fill = _of_one_type(image, self._value_for(name))
        canvas = np.full((*self.size, image.shape[2]), fill, image.dtype)
        top, left = rows // 2, columns // 2
        canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
        return canvas

    def _value_for(self, name: str) -> float:
        if name == PICTURE:
            return 0
        if not isinstance(self.value, Mapping):
            return self.value
        if name not in self.value:
            raise ConfigError(
                f'PadTo: value: nothing for the input {name!r}, only for {", ".join(self.value)}'
            )
        return self.value[name]


def _of_one_type(image: np.ndarray, value: float) -> tuple[np.ndarray, float]:
    """Return image and 8-bit ``value`` as numbers of one type: 8-bit if both fit, else float."""
    if image.dtype == np.uint8 and float(value).is_integer():
        return image, value
    return to_float(image), value / 255


def with_window(results: dict[str, Any]) -> dict[str, Any]:
    """Return ``results`` with the mask of the picture, where there is one, as ``window``.

    Raises:
        DataError: If crops left nothing of the picture.
    """
    if PICTURE not in results:
        return results
    inside = to_float(results[PICTURE])[:, :, 0] >= 0.5
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        raise DataError(
            f'{results["key"]!r}: nothing but padding is left; crop less after PadTo, or pad less'
        )
    window: Window = (int(rows[0]), int(columns[0]), len(rows), len(columns))
    others = {name: value for name, value in results.items() if name != PICTURE}
    return {**others, 'window': window}

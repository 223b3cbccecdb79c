"""Pencil drawings of photographs: stand-ins where no drawn sketches are at hand."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np

from noiseedit.datasets.transforms.base import images_of
from noiseedit.errors import ConfigError
from noiseedit.imaging import to_float, to_grey, to_integers, with_channels
from noiseedit.registry import TRANSFORMS

Direction = Literal['photo2sketch', 'sketch2photo']
PAPER_TONE = 1 / 32


def pencil(photo: np.ndarray, sigma: float = 4.0, contrast: float = 2.0) -> np.ndarray:
    """Draw a photograph with a pencil: colour dodge of its grey by its blurred negative.

    d = min(1, (g + t) / (1 - blur(1 - g) + t)) ^ contrast with g the luma and t = 1/32, which keeps
    black areas from amplifying their last bits. A local ratio: noise in g is multiplied by
    ``contrast`` / g, so a drawing of a noisy photograph is full of strokes.

    Args:
        photo: (H, W, C) uint8, or float in [0, 1].
        sigma: Standard deviation of the blur in pixels: the width of the strokes.
        contrast: Exponent; larger: darker strokes.

    Returns:
        (H, W, 3) uint8, grey strokes on white.
    """
    grey = to_grey(to_float(photo))[:, :, 0]
    negative = cv2.GaussianBlur(1 - grey, (0, 0), sigma)
    dodged = (grey + PAPER_TONE) / (1 - negative + PAPER_TONE)
    drawing = np.clip(dodged, 0, 1) ** contrast
    return np.repeat(to_integers(drawing)[:, :, None], 3, axis=2)


def in_direction(direction: Direction, photo: Any, sketch: Any) -> dict[str, Any]:
    """Return photo and sketch as ``source`` and ``target``.

    Raises:
        ConfigError: On another direction.
    """
    if direction == 'photo2sketch':
        return {'source': photo, 'target': sketch}
    if direction == 'sketch2photo':
        return {'source': sketch, 'target': photo}
    raise ConfigError(f"direction: expected 'photo2sketch' or 'sketch2photo', got {direction!r}")


@TRANSFORMS.register_module()
class DrawPencil:
    """Make a pair of a sample that has only ``target``: the photograph and its :func:`pencil`.

    Args:
        direction: ``'photo2sketch'``: the photograph becomes ``source``, its drawing ``target``;
            ``'sketch2photo'``: the other way round.
        sigma: See :func:`pencil`.
        contrast: See :func:`pencil`.

    Raises:
        ConfigError: On another direction, or if the sample has not ``target`` alone.
    """

    def __init__(
        self, direction: Direction = 'photo2sketch', sigma: float = 4.0, contrast: float = 2.0
    ) -> None:
        in_direction(direction, None, None)
        self.direction, self.sigma, self.contrast = direction, sigma, contrast

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``results`` with both images."""
        names = list(images_of(results))
        if names != ['target']:
            raise ConfigError(
                f'DrawPencil: {results["key"]!r}: expected the image target alone, got '
                f'{", ".join(names)}; put it before every step that adds images'
            )
        photo = with_channels(results['target'], 3)
        sketch = pencil(photo, self.sigma, self.contrast)
        return {**results, **in_direction(self.direction, photo, sketch)}

"""How a prediction becomes an 8-bit image: papers differ, and their scores with it.

| ``saving`` | 8-bit value of v in [0, 1] |
|---|---|
| ``'round'`` | clip, round to nearest: the default |
| ``'truncate'`` | clip, cut off the fraction: half a grey level darker on average |
| ``'stretch'`` | darkest value of the image to 0, brightest to 255, round to nearest |
| ``'jpeg'`` | as ``'round'``, then through JPEG of OpenCV's default quality, 95 |
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from torch import Tensor

Saving = Literal['round', 'truncate', 'stretch', 'jpeg']

MIN_RANGE = 1e-5
BILATERAL = (7, 75.0, 75.0)
"""Diameter in pixels, sigma of grey levels, sigma in pixels."""


def to_uint8(image: Tensor, saving: Saving = 'round') -> np.ndarray:
    """Return (H, W, C) uint8.

    Args:
        image: (C, H, W) float, finite, nominally in [0, 1].
        saving: See the module.
    """
    if saving == 'stretch':
        low, high = image.aminmax()
        image = (image - low) / (high - low).clamp(min=MIN_RANGE)
    scaled = image.clamp(0, 1).permute(1, 2, 0).contiguous().mul_(255)
    scaled = scaled if saving == 'truncate' else scaled.round_()
    array: np.ndarray = scaled.byte().cpu().numpy()
    return through_jpeg(array) if saving == 'jpeg' else array


def through_jpeg(image: np.ndarray) -> np.ndarray:
    """Return what comes back of an (H, W, 1 or 3) uint8 RGB image saved as JPEG."""
    import cv2

    from noiseedit.imaging import decode_image

    _, data = cv2.imencode('.jpg', np.ascontiguousarray(image[:, :, ::-1]))
    return decode_image(data.tobytes(), 'image.jpg', channels=1 if image.shape[2] == 1 else 3)


def bilateral(image: np.ndarray) -> np.ndarray:
    """Return an (H, W, 1 or 3) uint8 image smoothed by a bilateral filter, :data:`BILATERAL`."""
    import cv2

    return cv2.bilateralFilter(np.ascontiguousarray(image), *BILATERAL).reshape(image.shape)

"""Channels and value types."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseedit.datasets.transforms.base import Transform
from noiseedit.imaging import to_float, with_channels
from noiseedit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ToGrey(Transform):
    """Make every image grey, (H, W, 1); weights: ``imaging.GREY_WEIGHTS``."""

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Return the luma."""
        return with_channels(image, 1)


@TRANSFORMS.register_module()
class ToRGB(Transform):
    """Give every image three channels; grey is repeated."""

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Return (H, W, 3)."""
        return with_channels(image, 3)


@TRANSFORMS.register_module()
class ToFloat(Transform):
    """Make every image float32 in [0, 1], so that noise after it is neither clipped nor rounded."""

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Return the float image."""
        return to_float(image)

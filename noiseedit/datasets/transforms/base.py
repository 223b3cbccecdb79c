"""What pipeline steps have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseedit.seeding import derive_seed


class Transform:
    """Base of the steps: replaces the images of a pipeline dict, never changes them in place.

    Attributes:
        stream: Name of the step's own draws; the pipeline makes it unique.
    """

    stream = ''

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``results`` with every image transformed."""
        for name, image in images_of(results).items():
            results[name] = self.transform(image, results)
        return results

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Return the new (H, W, C) image."""
        raise NotImplementedError(f'{type(self).__name__} must implement transform')

    def draw(self, results: dict[str, Any], *sizes: int) -> list[int]:
        """Draw one integer of ``range(size)`` for each size, by seed of the sample and stream.

        The digits of one 63-bit number: the bias is below product(sizes) / 2^63.
        """
        number = derive_seed(results['seed'], 'data', self.stream or type(self).__name__)
        digits = []
        for size in sizes:
            number, digit = divmod(number, size)
            digits.append(digit)
        return digits


def images_of(results: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the images of a pipeline dict: every array in it."""
    return {name: value for name, value in results.items() if isinstance(value, np.ndarray)}

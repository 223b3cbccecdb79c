"""Vectors of the latest batches: metrics of one network, asked in turn, run it once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from noiseedit.evaluation.profiles import Array

KEPT = 2  # predictions and targets


class RecentVectors:
    """Remembers the vectors of the last two lists of images, by where these lie in memory.

    The images are held meanwhile, so that nothing else can lie there; a change in place counts as
    other images.
    """

    def __init__(self) -> None:
        self._entries: deque[tuple[Any, Sequence[Tensor], Array]] = deque(maxlen=KEPT)

    def find(self, kind: str, images: Sequence[Tensor]) -> Array | None:
        """Return the vectors of ``images`` of that kind; ``None``: not among the latest."""
        wanted = (kind, *map(_place, images))
        return next((vectors for place, _, vectors in self._entries if place == wanted), None)

    def add(self, kind: str, images: Sequence[Tensor], vectors: Array) -> None:
        """Remember ``vectors``, and forget those of two calls before."""
        self._entries.append(((kind, *map(_place, images)), images, vectors))

    def clear(self) -> None:
        """Let go of all images."""
        self._entries.clear()


def _place(image: Tensor) -> tuple[Any, ...]:
    changes = -1 if image.is_inference() else image._version
    return image.device, image.data_ptr(), image.shape, image.stride(), image.dtype, changes

"""Real noisy images that show which noise is wanted: a file or a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from noiseedit.datasets.folders import Folder
from noiseedit.errors import DataError
from noiseedit.imaging import PathLike, read_image, to_float

LEAST = 8  # pixels: what the encoder can halve twice
WHOLE = 512  # pixels: more of a reference tells the encoder little and costs much


class References:
    """Noisy images by index, whole or in crops, as the encoder takes them.

    Args:
        path: An image file, or a folder that is searched recursively.
        crop: Side of the crops in pixels; None: images as they are, of larger ones the central
            512 x 512 pixels.
        pattern: Of a folder take only some files; see
            :class:`~noiseedit.datasets.folders.Folder`.
        cache: Where a folder is kept decoded: ``'memory'``, or a folder of cache files; None:
            decode at every access.

    Raises:
        DataError: If the path is missing or a folder without such images.
    """

    def __init__(
        self,
        path: PathLike,
        crop: int | None = None,
        pattern: str | None = None,
        cache: PathLike | None = None,
    ) -> None:
        self.crop, path = crop, Path(path)
        if not path.exists():
            raise DataError(
                f'reference {path}: no such file or folder (seen from {Path.cwd()}); '
                'a noise to take references from is a dict'
            )
        self.folder = None if path.is_file() else Folder(path, 3, cache, pattern=pattern)
        self.files = [path] if self.folder is None else self.folder.files
        self._single = read_image(path) if self.folder is None else None

    def __len__(self) -> int:
        return len(self.files)

    def chosen(self, image: Tensor) -> list[int]:
        """Return the index of the image that each u ~ U[0, 1) picks."""
        return (image.flatten().cpu().double() * len(self)).long().tolist()

    def whole(self, index: int) -> Tensor:
        """Return an image or its centre, (1, 3, H, W) float32 in [0, 1].

        Raises:
            DataError: If it is smaller than 8 x 8 pixels.
        """
        image = self._read(index)
        self._check(index, image, LEAST)
        top, left = (max(0, (side - WHOLE) // 2) for side in image.shape[:2])
        return _as_batch(image[top : top + WHOLE, left : left + WHOLE])

    def crops(self, image: Tensor, top: Tensor, left: Tensor) -> Tensor:
        """Return a crop for every three numbers of U[0, 1), (N, 3, crop, crop) in [0, 1].

        Raises:
            DataError: If an image is smaller than a crop.
        """
        places = zip(self.chosen(image), top.flatten(), left.flatten(), strict=True)
        return torch.cat([self._crop(i, float(down), float(across)) for i, down, across in places])

    def _crop(self, index: int, down: float, across: float) -> Tensor:
        image, side = self._read(index), self.crop or WHOLE
        self._check(index, image, side)
        top, left = (
            int(u * (s - side + 1)) for u, s in zip((down, across), image.shape, strict=False)
        )
        return _as_batch(image[top : top + side, left : left + side])

    def _check(self, index: int, image: np.ndarray, least: int) -> None:
        if min(image.shape[:2]) < least:
            height, width = image.shape[:2]
            raise DataError(
                f'{self.files[index]}: reference of {height} x {width} pixels (height x width) is '
                f'too small: expected at least {least} x {least}'
                + (', or a smaller crop' if self.crop else '')
            )

    def _read(self, index: int) -> np.ndarray:
        if self.folder is not None:
            return self.folder[index]
        return np.asarray(self._single)


def _as_batch(image: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(to_float(image).transpose(2, 0, 1), order='C'))[None]

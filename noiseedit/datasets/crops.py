"""Cut a data set of large images into overlapping crops, written as PNG files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np

from noiseedit.datasets.base import ImageDataset
from noiseedit.errors import ConfigError
from noiseedit.imaging import PathLike, write_image


def write_crops(
    dataset: ImageDataset, out: PathLike, size: int = 512, stride: int | None = None
) -> Iterator[int]:
    """Write every image of ``dataset`` in crops; yield their number, image by image.

    ``out/INPUT/KEY/ROW_COLUMN.png`` for every input (``source``, ``target``) of the set, at the
    same places: what :class:`~noiseedit.datasets.folders.PairedFolder` reads from ``out/source``
    and ``out/target``. The last row and column of crops end at the border, so that every pixel is
    in one. Images smaller than ``size`` stay whole.

    Args:
        dataset: Its pipeline is not run.
        out: Folder; made if missing.
        size: Side of a crop in pixels.
        stride: From one crop to the next; ``None``: ``size``, without overlap.

    Raises:
        ConfigError: If ``size`` or ``stride`` is not positive.
        DataError: If an image cannot be read.
    """
    stride = size if stride is None else stride
    if size < 1 or stride < 1:
        raise ConfigError(f'crops: expected size and stride >= 1, got {size} and {stride}')
    for index, key in enumerate(dataset.keys):
        images = dataset.read(index, 0)
        arrays = {name: image for name, image in images.items() if isinstance(image, np.ndarray)}
        yield sum(
            _write(image, Path(out) / name / key, size, stride) for name, image in arrays.items()
        )


def _write(image: np.ndarray, folder: Path, size: int, stride: int) -> int:
    rows, columns = (starts(length, size, stride) for length in image.shape[:2])
    bits: Literal[8, 16] = 8 if image.dtype == np.uint8 else 16
    for top, left in product(rows, columns):
        crop = image[top : top + size, left : left + size]
        write_image(folder / f'{top:05d}_{left:05d}.png', crop, bits=bits)
    return len(rows) * len(columns)


def starts(length: int, size: int, stride: int) -> list[int]:
    """Return where crops of ``size`` begin along a side: every ``stride``, and at the end.

    Args:
        length: Of the side.
        size: Of a crop.
        stride: Between crops.
    """
    last = max(0, length - size)
    return sorted({*range(0, last + 1, stride), last})

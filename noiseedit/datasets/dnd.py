"""Darmstadt Noise Dataset: the 1000 noisy crops whose clean images only its server has.

Benchmarking Denoising Algorithms with Real Photographs, T. Ploetz, S. Roth, CVPR 2017. Scores come
from the server: :class:`~noiseedit.evaluation.submission.DNDSubmission` writes what it takes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from noiseedit.datasets.base import ImageDataset, Results
from noiseedit.errors import DataError, MissingExtraError
from noiseedit.imaging import PathLike
from noiseedit.registry import DATASETS

IMAGES, BOXES = 50, 20
TREE = 'info.mat and images_srgb/0001.mat ... 0050.mat'


@DATASETS.register_module()
class DND(ImageDataset):
    """The sRGB crops of DND: ``source`` alone, float32 in [0, 1], keys ``0001_01`` to ``0050_20``.

    Args:
        data_root: The folder that holds ``info.mat`` and ``images_srgb``.
        images: How many of the 50 images to take, from the first on.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        DataError: If a file is missing or holds something else; says what is expected where.
        MissingExtraError: If h5py is not installed: the files are of MATLAB version 7.3.
    """

    def __init__(self, data_root: PathLike, *, images: int = IMAGES, **kwargs: Any) -> None:
        self.root = Path(data_root)
        self.files = [self.root / 'images_srgb' / f'{n:04d}.mat' for n in range(1, images + 1)]
        missing = [file for file in (self.root / 'info.mat', *self.files) if not file.is_file()]
        if missing:
            raise DataError(f'DND: {missing[0]}: no such file. Expected in {self.root}: {TREE}')
        self.boxes = _boxes(self.root / 'info.mat')[:images]
        keys = [f'{n:04d}_{box:02d}' for n in range(1, images + 1) for box in range(1, BOXES + 1)]
        super().__init__(keys, **kwargs)

    def read(self, index: int, visit: int) -> Results:
        """Return the crop, read alone out of the file of its image."""
        image, box = divmod(index, BOXES)
        top, left, bottom, right = (int(value) for value in self.boxes[image][box])
        with _open(self.files[image]) as file:
            crop = file['InoisySRGB'][:, left - 1 : right, top - 1 : bottom]  # MATLAB: transposed
        source = np.ascontiguousarray(crop.transpose(2, 1, 0), np.float32)
        return {'source': source, 'paths': {'source': str(self.files[image])}}


def _boxes(path: Path) -> list[np.ndarray]:
    """Return per image (20, 4): first row, first column, last row, last column, from 1."""
    with _open(path) as file:
        try:
            boxes = file['info']['boundingboxes'][0]
            found = [np.asarray(file[reference]).T for reference in boxes]
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(f'{path}: expected info.boundingboxes: {error}') from error
    if len(found) != IMAGES or any(box.shape != (BOXES, 4) for box in found):
        raise DataError(
            f'{path}: expected info.boundingboxes of {IMAGES} images, {BOXES} boxes of 4 numbers '
            f'each, got {[box.shape for box in found][:3]} ... of {len(found)}'
        )
    return found


def _open(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(
            f"{path} is of MATLAB version 7.3; to read it: pip install 'noiseedit[matlab]'"
        ) from error
    try:
        return h5py.File(path, 'r')
    except OSError as error:
        raise DataError(f'{path}: cannot be read as a MATLAB 7.3 file: {error}') from error

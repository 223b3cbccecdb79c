"""CIFAR-10 from any of its usual forms, kept in memory as 8-bit numbers.

Learning Multiple Layers of Features from Tiny Images, A. Krizhevsky, 2009: 60,000 colour images of
32 x 32 pixels in ten classes, 50,000 for training.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from noiseedit.datasets.base import ImageDataset, Results
from noiseedit.datasets.store import Decoded, digest, open_images, open_store, progress
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import IMAGE_SUFFIXES, PathLike, decode_image, list_images
from noiseedit.registry import DATASETS

CLASSES = (
    'airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck',
)  # fmt: skip
OFFICIAL = 'cifar-10-batches-py'


@DATASETS.register_module()
class CIFAR10(ImageDataset):
    """CIFAR-10; keys are ``'train/00000'`` ... in the order of the files, metainfo has ``label``.

    Args:
        data_root: One of: the folder that holds ``cifar-10-batches-py`` (the official files, read
            and checked by torchvision, in official order); a zip file of images ``class/name.jpg``;
            a folder with ``cifar10_train.zip`` and ``cifar10_test.zip``; a folder of
            ``class/name.jpg``; or one with ``train`` and ``test`` of them. Images are sorted by
            name, so zip and folder agree with each other but not with the official order.
        split: ``'train'`` or ``'test'``.
        input_name: ``'target'`` (clean images) or ``'real'`` (what a GAN is to imitate).
        length: Take only so many images, at even distances: files may be sorted by class, and the
            first ones all be airplanes. ``None``, or more than there are: all.
        classes: Take only images of these classes, 0 to 9; ``None``: all.
        cache: Folder that keeps the decoded images for the next start; ``None`` and ``'memory'``:
            decode anew. Official files need no decoding.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        DataError: If nothing of this kind is at ``data_root``, or an image is unreadable or of
            another size.
        ConfigError: On another split.
    """

    def __init__(
        self,
        data_root: PathLike,
        split: Literal['train', 'test'] = 'train',
        *,
        input_name: str = 'target',
        length: int | None = None,
        classes: Sequence[int] | None = None,
        cache: PathLike | None = None,
        **kwargs: Any,
    ) -> None:
        if split not in ('train', 'test'):
            raise ConfigError(f"split: expected 'train' or 'test', got {split!r}")
        images, labels = load_cifar10(Path(data_root), split, cache)
        numbers = [i for i, label in enumerate(labels) if classes is None or label in classes]
        numbers = spread(numbers, length)
        self.images = images if len(numbers) == len(images) else images[numbers]
        self.labels = [labels[number] for number in numbers]
        self.input_name = input_name
        self.data_root = str(data_root)
        super().__init__([f'{split}/{number:05d}' for number in numbers], **kwargs)

    def read(self, index: int, visit: int) -> Results:
        """Return the image and its label."""
        paths = {self.input_name: self.data_root}
        return {self.input_name: self.images[index], 'paths': paths, 'label': self.labels[index]}

    def gather(self, indices: Sequence[int] | np.ndarray) -> torch.Tensor:
        """Return many images at once, (N, 3, 32, 32) uint8, past the pipeline and without samples.

        For loops that draw latents and images only: noise and scaling then happen on the batch.
        """
        return torch.from_numpy(self.images[np.asarray(indices)]).permute(0, 3, 1, 2).contiguous()


def spread(numbers: Sequence[int], count: int | None) -> list[int]:
    """Return ``count`` of ``numbers`` at even distances, in their order; ``None``: all."""
    count = len(numbers) if count is None else min(count, len(numbers))
    return [numbers[place * len(numbers) // count] for place in range(count)]


def load_cifar10(
    root: Path, split: str, cache: PathLike | None = None
) -> tuple[np.ndarray, list[int]]:
    """Return images (N, 32, 32, 3) uint8 and labels; see :class:`CIFAR10`."""
    if (root / OFFICIAL).is_dir():
        return _official(root, split)
    place = _find(root, split)
    read = _from_zip if place.suffix == '.zip' else _from_folder
    return read(place, cache)


def _find(root: Path, split: str) -> Path:
    candidates = (root / f'cifar10_{split}.zip', root / split, root)
    for place in candidates:
        if place.is_file() and place.suffix == '.zip':
            return place
        if any((place / name).is_dir() for name in CLASSES):
            return place
    raise DataError(
        f'{root}: no CIFAR-10 here. Expected {OFFICIAL}/, cifar10_{split}.zip, a zip file, or '
        f'folders {CLASSES[0]}/ ... {CLASSES[-1]}/ of images, also below {split}/. The official '
        'files: https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz'
    )


def _official(root: Path, split: str) -> tuple[np.ndarray, list[int]]:
    from torchvision.datasets import CIFAR10 as Official  # noqa: N811

    try:
        official = Official(str(root), train=split == 'train', download=False)
    except (RuntimeError, OSError) as error:
        raise DataError(f'{root / OFFICIAL}: {error}') from error
    return official.data, official.targets


def _from_folder(root: Path, cache: PathLike | None) -> tuple[np.ndarray, list[int]]:
    files = [path for path in list_images(root) if path.relative_to(root).parts[0] in CLASSES]
    labels = [CLASSES.index(path.relative_to(root).parts[0]) for path in files]
    store = open_images(root, files, 3, cache or 'memory', 'cifar10')
    return _stacked(store, root), labels


def _from_zip(path: Path, cache: PathLike | None) -> tuple[np.ndarray, list[int]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(filter(_is_member, archive.namelist()))
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f'{path}: cannot be read as a zip file: {error}') from error
    if not names:
        raise DataError(f'{path}: holds no images class/name.jpg of the classes of CIFAR-10')
    state = path.stat()
    fingerprint = digest(str(state.st_size), str(state.st_mtime_ns))
    name = f'{path.stem}-{digest(str(path.resolve()))[:12]}'
    store = open_store(cache or 'memory', name, fingerprint, partial(_decode_zip, path, names))
    return _stacked(store, path), [CLASSES.index(_class_of(name)) for name in names]


def _is_member(name: str) -> bool:
    return _class_of(name) in CLASSES and name.lower().endswith(IMAGE_SUFFIXES)


def _class_of(name: str) -> str:
    return name.rpartition('/')[0].rpartition('/')[2]


def _decode_zip(path: Path, names: Sequence[str]) -> Iterator[Decoded]:
    with zipfile.ZipFile(path) as archive:
        images = (decode_image(archive.read(name), f'{path}/{name}') for name in names)
        yield from progress(images, len(names))


def _stacked(store: Any, place: Path) -> np.ndarray:
    if store.meta['unreadable']:
        raise DataError(next(iter(store.meta['unreadable'].values())))
    images = store.stacked()
    if images is None or images.shape[1:] != (32, 32, 3):
        raise DataError(f'{place}: expected 8-bit images of 32 x 32 pixels only')
    return images

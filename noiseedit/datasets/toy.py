"""Data sets that need no files of one's own: photographs of scikit-image, and drawn shapes."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import cv2
import numpy as np

from noiseedit.datasets.base import ImageDataset, Results
from noiseedit.datasets.transforms.drawing import in_direction, pencil
from noiseedit.datasets.transforms.geometry import Size, height_width, resize
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import read_image
from noiseedit.registry import DATASETS
from noiseedit.seeding import derive_seed

Task: TypeAlias = Literal['pencil', 'pencil_to_photo', 'denoise', 'identity']

PHOTOS = {
    'train': (
        'astronaut.png', 'rocket.jpg', 'motorcycle_left.png', 'retina.jpg', 'ihc.png', 'coins.png',
        'hubble_deep_field.jpg',
    ),
    'test': ('chelsea.png', 'coffee.png', 'camera.png'),
}  # fmt: skip
"""Photographs inside every scikit-image wheel, split by photograph."""


def task_images(task: Task, photo: np.ndarray) -> dict[str, np.ndarray]:
    """Return the inputs of a task, (H, W, 3) uint8.

    ``'pencil'``: ``source`` is the photograph, ``target`` its drawing; ``'pencil_to_photo'``: the
    other way round. ``'denoise'`` and ``'identity'``: ``target`` alone; the source is made of it,
    with or without noise.

    Raises:
        ConfigError: On another task.
    """
    if task == 'pencil':
        return in_direction('photo2sketch', photo, pencil(photo))
    if task == 'pencil_to_photo':
        return in_direction('sketch2photo', photo, pencil(photo))
    if task in ('denoise', 'identity'):
        return {'target': photo}
    raise ConfigError(f'task: expected one of {get_args(Task)}, got {task!r}')


@DATASETS.register_module()
class ToyPhotos(ImageDataset):
    """Crops of the photographs that scikit-image ships; nothing is downloaded.

    Training and test crops come from different photographs (:data:`PHOTOS`). Training crops overlap
    by three quarters; test crops do not overlap.

    Args:
        split: ``'train'`` or ``'test'``.
        task: See :func:`task_images`.
        size: Edge of the crops, or (height, width), in pixels.
        short_side: Photographs are first scaled down to this shorter side, so that a crop shows
            more than texture.
        length: Take so many crops, evenly spread; ``None``: all.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        ConfigError: On another split or task, or a crop larger than a photograph.
        DataError: If the installed scikit-image lacks a photograph.
    """

    def __init__(
        self,
        split: Literal['train', 'test'] = 'train',
        task: Task = 'pencil',
        *,
        size: Size = 64,
        short_side: int = 192,
        length: int | None = None,
        **kwargs: Any,
    ) -> None:
        if split not in PHOTOS:
            raise ConfigError(f"split: expected 'train' or 'test', got {split!r}")
        self.size = height_width(size)
        if max(self.size) > short_side:
            raise ConfigError(f'size: expected 1 to short_side={short_side} pixels, got {size}')
        self.photos = {name: _photo(name, task, short_side) for name in PHOTOS[split]}
        steps = 4 if split == 'train' else 1
        self.places = _spread(_places(self.photos, self.size, steps), length)
        keys = [f'{Path(name).stem}/{top:03d}_{left:03d}' for name, top, left in self.places]
        super().__init__(keys, **kwargs)

    def read(self, index: int, visit: int) -> Results:
        """Return the crop of every image of the task."""
        name, top, left = self.places[index]
        height, width = self.size
        window = np.s_[top : top + height, left : left + width]
        crops: Results = {kind: image[window] for kind, image in self.photos[name].items()}
        return {**crops, 'paths': dict.fromkeys(crops, f'skimage/data/{name}')}


def _photo(name: str, task: Task, short_side: int) -> dict[str, np.ndarray]:
    path = Path(str(files('skimage') / 'data' / name))
    if not path.exists():
        raise DataError(
            f'{path}: scikit-image {version("scikit-image")} ships no such photograph; '
            'install another version of scikit-image'
        )
    photo = read_image(path)
    scale = short_side / min(photo.shape[:2])
    height, width = (max(short_side, round(edge * scale)) for edge in photo.shape[:2])
    return task_images(task, resize(photo, (height, width)))


def _places(
    photos: dict[str, dict[str, np.ndarray]], size: tuple[int, int], steps: int
) -> list[tuple[str, int, int]]:
    rows, columns = (max(1, edge // steps) for edge in size)
    places = []
    for name, images in photos.items():
        height, width = images['target'].shape[:2]
        for top in range(0, height - size[0] + 1, rows):
            places += [(name, top, left) for left in range(0, width - size[1] + 1, columns)]
    return places


def _spread(places: list[Any], length: int | None) -> list[Any]:
    if length is None:
        return places
    if not 1 <= length <= len(places):
        raise ConfigError(f'length: expected 1 to {len(places)} crops, got {length}')
    return [places[(2 * number + 1) * len(places) // (2 * length)] for number in range(length)]


@DATASETS.register_module()
class ToyShapes(ImageDataset):
    """Ellipses and boxes on a colour gradient, drawn on demand from the number of the image.

    Args:
        length: Number of images.
        task: See :func:`task_images`.
        size: Edge in pixels.
        split: Images of two splits differ.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        ConfigError: On another task.
    """

    def __init__(
        self,
        length: int = 64,
        task: Task = 'denoise',
        *,
        size: int = 32,
        split: str = 'train',
        **kwargs: Any,
    ) -> None:
        self.task, self.size, self.split = task, size, split
        task_images(task, self._draw(0))
        super().__init__([f'{split}/{number:05d}' for number in range(length)], **kwargs)

    def read(self, index: int, visit: int) -> Results:
        """Draw the image."""
        return {**task_images(self.task, self._draw(index)), 'paths': {}}

    def _draw(self, number: int) -> np.ndarray:
        seed = derive_seed(0, 'data', 'ToyShapes', self.split, number)
        rng = np.random.Generator(np.random.PCG64(seed))
        image = _gradient(self.size, rng)
        for _ in range(rng.integers(2, 6)):
            _draw_shape(image, rng)
        return image


def _gradient(size: int, rng: np.random.Generator) -> np.ndarray:
    corners = rng.integers(0, 256, (2, 2, 3)).astype(np.float32)
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    rows = corners[0] + (corners[1] - corners[0]) * ramp[:, None, None]
    image = rows[:, :1] + (rows[:, 1:] - rows[:, :1]) * ramp[None, :, None]
    return np.rint(image).astype(np.uint8)


def _draw_shape(image: np.ndarray, rng: np.random.Generator) -> None:
    """Draw one filled shape into ``image``, with smooth edges."""
    size = len(image)
    x, y = rng.integers(0, size, 2).tolist()
    width, height = rng.integers(size // 8 + 1, size // 3 + 2, 2).tolist()
    colour = rng.integers(0, 256, 3).tolist()
    if rng.integers(2):
        angle = float(rng.integers(180))
        cv2.ellipse(image, (x, y), (width, height), angle, 0, 360, colour, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(image, (x - width, y - height), (x + width, y + height), colour, -1)

"""What every data set does: a position becomes images, images become tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from noiseedit.datasets.skip import OnError, SkipList
from noiseedit.datasets.transforms.padding import with_window
from noiseedit.errors import DataError
from noiseedit.registry import TRANSFORMS
from noiseedit.seeding import derive_seed
from noiseedit.structures import EditSample

Results: TypeAlias = dict[str, Any]
Step: TypeAlias = Callable[[Results], Results]


class ImageDataset(Dataset):
    """Base of all data sets: images by key, a pipeline, seeds that depend on key and visit alone.

    A new data set implements :meth:`read`. Indexing with a position p gives
    ``dict(inputs={name: (C, H, W) uint8 or float32 in [0, 1]}, data_samples=EditSample)`` for image
    ``p % len`` on its visit ``p // len``. What a pipeline adds to its dict is kept: arrays become
    inputs, anything else becomes metainfo of the sample.

    Args:
        keys: One stable name per image.
        pipeline: Transforms: config dicts or callables ``dict -> dict``.
        seed: Base seed of the stream ``data``; the runner sets it unless the config does.
        on_error: What happens on an unreadable image. ``'raise'``: :class:`DataError`. ``'skip'``:
            another image, chosen by key and visit, takes its place; the sample's metainfo
            ``replaces`` says so, every file is logged once and all are listed at the end.
        max_skip_fraction: With ``'skip'``: stop when more than this part of the images, in [0, 1],
            is unreadable, counted over all workers of this process.

    Raises:
        DataError: If there are no keys or if keys are repeated.
        ConfigError: If ``on_error`` is unknown.
    """

    def __init__(
        self,
        keys: Sequence[str],
        pipeline: Sequence[Mapping[str, Any] | Step] = (),
        *,
        seed: int = 0,
        on_error: OnError = 'raise',
        max_skip_fraction: float = 0.01,
    ) -> None:
        self.keys = unique_keys(keys, type(self).__name__)
        self.seed = seed
        self.skips = SkipList(self.keys, on_error, max_skip_fraction)
        self.pipeline = build_pipeline(pipeline)

    def read(self, index: int, visit: int) -> Results:
        """Return the images of ``index`` as (H, W, C) arrays by input name, and ``paths``.

        Raises:
            DataError: If a file cannot be read; the message names it.
        """
        raise NotImplementedError(f'{type(self).__name__} must implement read')

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Results]:
        """Go once through the data set (positions themselves never end)."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, position: int) -> Results:
        if position < 0:
            raise IndexError(f'position: expected visit * {len(self)} + index >= 0, got {position}')
        visit, index = divmod(int(position), len(self))
        try:
            return self._item(index, visit)
        except DataError as error:
            self.skips.mark(index, error)
        return self._replacement(index, visit)

    @property
    def metainfo(self) -> dict[str, Any]:
        """Name and size of the set, for checkpoints and reports."""
        return {'dataset': type(self).__name__, 'length': len(self)}

    def results(self, index: int, visit: int) -> Results:
        """Return the dict that the pipeline starts from."""
        key = self.keys[index]
        results = {
            'key': key,
            'visit': visit,
            'seed': derive_seed(self.seed, 'data', key, visit),
            **self.read(index, visit),
        }
        first = next(value for value in results.values() if isinstance(value, np.ndarray))
        results['ori_shape'] = first.shape[:2]
        return results

    def _item(self, index: int, visit: int) -> Results:
        results = self.results(index, visit)
        for step in self.pipeline:
            results = step(results)
        return pack(results)

    def _replacement(self, index: int, visit: int) -> Results:
        key = self.keys[index]
        for trial in range(100 * len(self)):
            other = derive_seed(self.seed, 'data', key, visit, 'replacement', trial) % len(self)
            try:
                item = self._item(other, visit)
            except DataError as error:
                self.skips.mark(other, error)
                continue
            item['data_samples'].set_metainfo({'replaces': key})
            return item
        raise DataError(f'{type(self).__name__}: found no readable image to replace {key!r}')


def unique_keys(keys: Sequence[str], name: str) -> list[str]:
    """Return ``keys`` as a list.

    Raises:
        DataError: If there are none, or if one occurs twice; ``name`` says where.
    """
    if not keys:
        raise DataError(f'{name}: no images')
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise DataError(
            f'{name}: several images have the same name but for the suffix: {", ".join(twice[:20])}'
        )
    return list(keys)


def build_pipeline(steps: Sequence[Mapping[str, Any] | Step]) -> list[Step]:
    """Build transforms and give each its stream: class name, and '.1', '.2' ... when repeated.

    So a step draws the same numbers whatever other steps stand before it.
    """
    pipeline, seen = [], dict[str, int]()
    for step in steps:
        built: Any = TRANSFORMS.build(dict(step)) if isinstance(step, Mapping) else step
        name = type(built).__name__
        if hasattr(built, 'stream'):
            built.stream = f'{name}.{seen[name]}' if name in seen else name
        seen[name] = seen.get(name, 0) + 1
        pipeline.append(built)
    return pipeline


def pack(results: Results) -> Results:
    """Turn pipeline results into a data set item: arrays to tensors, the rest to metainfo.

    The mask of a padded picture becomes ``window``, metainfo, too.

    Raises:
        DataError: If an array is no (H, W, C) image; names the key and the input.
    """
    results = with_window(results)
    arrays = {name: value for name, value in results.items() if isinstance(value, np.ndarray)}
    for name, array in arrays.items():
        if array.ndim != 3:
            raise DataError(
                f'{results["key"]!r}: expected {name} as (H, W, C), got shape {array.shape}'
            )
    sample = EditSample()
    for name, value in results.items():
        if name not in arrays and name != 'seed':
            sample.set_field(value, name, field_type='metainfo')
    return {'inputs': {k: to_tensor(v) for k, v in arrays.items()}, 'data_samples': sample}


def to_tensor(image: np.ndarray) -> Tensor:
    """Return a contiguous (C, H, W) copy of an (H, W, C) image; uint8 stays uint8."""
    return torch.from_numpy(np.array(image.transpose(2, 0, 1), order='C'))


def key_of(path: Path, root: Path) -> str:
    """Return the key of a file: its path relative to ``root``, without suffix."""
    return path.relative_to(root).with_suffix('').as_posix()

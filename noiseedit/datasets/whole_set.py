"""A data set kept whole in memory: a batch is one gather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from noiseedit.datasets.base import Results
from noiseedit.datasets.store import progress
from noiseedit.datasets.whole_cache import Content, Facts, cached_content
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import PathLike
from noiseedit.registry import DATASETS
from noiseedit.structures import EditSample


@DATASETS.register_module()
class WholeSet(Dataset):
    """The images of another data set, read once and kept in memory: for sets of small images.

    The pipeline runs once per image, as on visit 0, and every later visit shows the same pixels:
    noise of the pipeline is fixed per image, whether its step says ``fixed`` or not, and so are
    crops and flips. Noise drawn anew at every visit is added to the batch instead
    (``noise.where='batch'``).

    Images are read when the runner sets the seed, else at the first access. A batch is then one
    gather in the process itself: workers do not help, leave ``num_workers=0``.

    Memory: count x channels x height x width bytes for 8-bit images, four times as much for float
    images (after ``ToFloat``, or of 16-bit files): 50,000 colour images of 32 x 32 pixels take
    146 MiB or 586 MiB. Every process has its own copy, unless ``cache`` lets them share one.

    Args:
        dataset: The data set, or its config; images of one size and type.
        samples: Whether batches carry one sample per image, with key, label and so on. Training
            needs none in general, and making them takes longer than the images. Items of
            ``dataset[position]`` always have one.
        multiple: Height and width must be multiples of this; 1: any.
        limit_gib: Refuse to take more memory than this, in GiB.
        cache: Folder that keeps the finished images for the next start, memory-mapped; made anew
            when the config of ``dataset``, its seed, a file that it names, the first or the last
            image, or the version of noiseedit changes. ``None``: read anew at every start.

    Raises:
        DataError: If images differ in size or type, have another size than ``multiple`` allows, or
            need more memory than ``limit_gib``.
        ConfigError: If a setting is out of range, or ``cache`` is given without a config.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        samples: bool = False,
        multiple: int = 8,
        limit_gib: float = 8.0,
        cache: PathLike | None = None,
    ) -> None:
        if multiple < 1 or limit_gib <= 0:
            raise ConfigError(
                f'WholeSet: expected multiple >= 1 and limit_gib > 0, got {multiple}, {limit_gib}'
            )
        self.config = dict(dataset) if isinstance(dataset, Mapping) else None
        if cache is not None and self.config is None:
            raise ConfigError('WholeSet: cache needs the data set as a config, to know its content')
        self.dataset = DATASETS.build(self.config) if self.config is not None else dataset
        self.samples, self.multiple, self.limit_gib = samples, multiple, limit_gib
        self.cache = cache
        self._content: Content | None = None

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of the inner set."""
        return dict(getattr(self.dataset, 'metainfo', {}))

    @property
    def seed(self) -> int:
        """Base seed of the inner set; setting another one reads the images, with their new noise.

        A seed in the config of the inner set stays.
        """
        return int(getattr(self.dataset, 'seed', 0))

    @seed.setter
    def seed(self, seed: int) -> None:
        keeps = self.config is not None and 'seed' in self.config
        if hasattr(self.dataset, 'seed') and not keeps and seed != self.seed:
            self.dataset.seed = seed
            self._content = None
        self.load()  # now, before workers start and the bar of the training shows

    def load(self) -> Content:
        """Return all images, reading them unless that is done; they are not to be changed."""
        if self._content is None:
            self._content = self._read()
        return self._content

    def __getitem__(self, position: int) -> Results:
        """Return one item as the inner set gives it, on any visit."""
        visits, rows = self._places([position])
        images = {name: stack[rows[0]].clone() for name, stack in self.load().images.items()}
        return {'inputs': images, 'data_samples': self._sample(rows[0], visits[0])}

    def __getitems__(self, positions: Sequence[int]) -> Results:
        """Return a whole batch at once (torch's loader asks for it); ``edit_collate`` passes it on.

        Args:
            positions: visit * length + index, each.

        Returns:
            ``inputs``: name -> (n, C, H, W); ``data_samples``: list, or ``None`` without
            ``samples``.
        """
        visits, rows = self._places(positions)
        index = torch.tensor(rows)
        images = {name: stack.index_select(0, index) for name, stack in self.load().images.items()}
        samples = None
        if self.samples:
            samples = [self._sample(*place) for place in zip(rows, visits, strict=True)]
        return {'inputs': images, 'data_samples': samples}

    def _places(self, positions: Sequence[int]) -> tuple[list[int], list[int]]:
        count = len(self)
        if min(positions) < 0:
            raise IndexError(f'position: expected visit * {count} + index >= 0, got {positions}')
        return [place // count for place in positions], [place % count for place in positions]

    def _sample(self, row: int, visit: int) -> EditSample:
        sample = EditSample()
        sample.set_metainfo({**self.load().facts[row], 'visit': visit})
        return sample

    def _read(self) -> Content:
        if self.cache is None or self.config is None:
            return read_whole(self.dataset, self.multiple, self.limit_gib)
        ends = [self.dataset[index]['inputs'] for index in (0, len(self) - 1)]
        return cached_content(
            self.cache,
            self.config,
            self.seed,
            [image.numpy() for images in ends for image in images.values()],
            lambda: read_whole(self.dataset, self.multiple, self.limit_gib),
        )


def read_whole(dataset: Any, multiple: int = 1, limit_gib: float = float('inf')) -> Content:
    """Read every item of a data set on visit 0, with a progress bar on a terminal.

    Args:
        dataset: Gives items as :class:`~noiseedit.datasets.base.ImageDataset` does.
        multiple: See :class:`WholeSet`.
        limit_gib: See :class:`WholeSet`.

    Raises:
        DataError: See :class:`WholeSet`; names the file.
    """
    first = dataset[0]
    _check_multiple(first, multiple)
    _check_memory(first['inputs'], len(dataset), limit_gib)
    images = {
        name: torch.empty(len(dataset), *image.shape, dtype=image.dtype)
        for name, image in first['inputs'].items()
    }
    facts = []
    items = (dataset[index] for index in range(len(dataset)))
    for row, item in enumerate(progress(items, len(dataset), 'reading')):
        _check_like(item, first)
        for name, image in item['inputs'].items():
            images[name][row] = image
        facts.append(_facts(item['data_samples']))
    return Content(images, facts)


def _facts(sample: EditSample) -> Facts:
    return {name: value for name, value in sample.metainfo_items() if name != 'visit'}


def _check_multiple(item: Results, multiple: int) -> None:
    for name, image in item['inputs'].items():
        height, width = image.shape[-2:]
        if height % multiple or width % multiple:
            fitting = tuple(edge // multiple * multiple for edge in (height, width))
            raise DataError(
                f'{_where(item, name)}: {height} x {width} (height x width) pixels, expected '
                f"multiples of {multiple}: add dict(type='CenterCrop', size={fitting}) to the "
                'pipeline, before any noise, or set multiple to what the model takes'
            )


def _check_like(item: Results, first: Results) -> None:
    if set(item['inputs']) != set(first['inputs']):
        raise DataError(
            f'{_where(item)} has {", ".join(item["inputs"])}, '
            f'{_where(first)} has {", ".join(first["inputs"])}; expected the same of all images'
        )
    for name, image in item['inputs'].items():
        expected = first['inputs'][name]
        if image.shape != expected.shape:
            raise DataError(
                f'{_where(item, name)}: {tuple(image.shape)} (channels, height, width), but '
                f'{_where(first)} has {tuple(expected.shape)}; images of a whole set have one '
                "size: add dict(type='CenterCrop', size=...) to the pipeline (Resize would "
                'change the noise of noisy images)'
            )
        if image.dtype != expected.dtype:
            raise DataError(
                f'{_where(item, name)} is {image.dtype}, {_where(first)} {expected.dtype}; '
                "add dict(type='ToFloat') to the pipeline"
            )


def _where(item: Results, name: str | None = None) -> str:
    sample = item['data_samples']
    path = sample.get('paths', {}).get(name or next(iter(item['inputs'])))
    text = repr(sample.key) if path is None else f'{sample.key!r} ({path})'
    return text if name is None else f'{text}: {name}'


def _check_memory(images: Mapping[str, Tensor], count: int, limit_gib: float) -> None:
    needed = count * sum(image.numel() * image.element_size() for image in images.values()) / 2**30
    if needed <= limit_gib:
        return
    shapes = ', '.join(f'{name} {tuple(x.shape)} {x.dtype}' for name, x in images.items())
    raise DataError(
        f'WholeSet: {count} images ({shapes}) take {needed:.3g} GiB, more than '
        f'limit_gib={limit_gib:g}. Raise it if the machine has the memory; 8-bit images (no '
        'ToFloat) take a quarter; or use the inner data set itself, with workers'
    )

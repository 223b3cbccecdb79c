"""What a metric of a whole set of images is, and how a value is made of many processes' images."""

from __future__ import annotations

import logging
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from noiseedit.errors import DataError
from noiseedit.evaluation.metrics.base import advice_without, as_sample, fewer_images
from noiseedit.evaluation.metrics.vectors import VectorFile, vector_id
from noiseedit.evaluation.profiles import Array
from noiseedit.evaluation.records import image_hash
from noiseedit.structures import EditSample

BLOCK_ROWS = 512


class SetValue(NamedTuple):
    """A value of a set of images.

    Attributes:
        value: The metric.
        n: Images.
        std: Standard deviation over the metric's own repetitions; NaN: it has none.
        over: What these are: ``'subsets'``, ``'splits'``; empty: none.
    """

    value: float
    n: int
    std: float = float('nan')
    over: str = ''


@dataclass(frozen=True)
class Part:
    """The images of a set that one process has to count, in order of their keys.

    Attributes:
        names: Sample key -> name of the row (:func:`vector_id`), sorted by key.
        pred: Rows of predictions.
        target: Rows of targets.
        total: Images of all processes together.
    """

    names: Mapping[str, int]
    pred: Rows
    target: Rows
    total: int

    def vectors(self, keys: Sequence[str] | None = None) -> tuple[Array, Array]:
        """Return vectors of predictions and targets, (n, length); ``None``: of all images."""
        names = [self.names[key] for key in (self.names if keys is None else keys)]
        return self.pred.read(names), self.target.read(names)

    def is_finite(self) -> bool:
        """Whether no image holds NaN or infinity."""
        names = list(self.names.values())
        return self.pred.is_finite(names) and self.target.is_finite(names)


class Rows:
    """Vectors of images that lie in one or several files.

    Args:
        files: The first that holds an image is read.
    """

    def __init__(self, files: Sequence[VectorFile]) -> None:
        self.files = files

    def read(self, names: Sequence[int]) -> Array:
        """Return the vectors of ``names``, (n, length)."""
        places = self._places(names)
        parts = [file.read([names[i] for i in where]) for file, where in places]
        if len(parts) < 2:
            return parts[0] if parts else np.zeros((0, 0), np.float32)
        vectors = np.empty((len(names), parts[0].shape[1]), parts[0].dtype)
        for (_, where), found in zip(places, parts, strict=True):
            vectors[where] = found
        return vectors

    def is_finite(self, names: Sequence[int]) -> bool:
        """Whether none of the images held NaN or infinity."""
        return all(
            bool(file.is_finite([names[i] for i in where]).all())
            for file, where in self._places(names)
        )

    def blocks(self, names: Sequence[int]) -> Iterator[Array]:
        """Yield the vectors of ``names`` a few hundred at a time."""
        for start in range(0, len(names), BLOCK_ROWS):
            yield self.read(names[start : start + BLOCK_ROWS])

    def _places(self, names: Sequence[int]) -> list[tuple[VectorFile, list[int]]]:
        """Return which of ``names``, by position, each file holds."""
        holders = [next(file for file in self.files if name in file) for name in names]
        places = [
            (file, [i for i, holder in enumerate(holders) if holder is file]) for file in self.files
        ]
        return [(file, where) for file, where in places if where]


class SetMetric(BaseMetric):
    """A value of a set of predictions against the set of their targets.

    A subclass turns images into vectors (:meth:`vectors`), tells what each process hands on
    (:meth:`summarise`) and makes values of that (:meth:`combine`). Vectors wait in a temporary
    file, every image once by its key, so that memory does not grow with the number of images and
    repeated images of samplers do not count twice; what processes exchange is the summary alone.
    Vectors of targets are kept from one validation to the next, by key and pixels.

    Works as ``val_evaluator = [dict(type='FID')]`` of any MMEngine runner (result: ``{name: value,
    '<name>/images': number of images}``) and in sweeps.

    Attributes:
        name: Key of results and files; says the protocol.
        higher_is_better: Direction of improvement.
        values: After :meth:`evaluate`: name -> value with spread.
    """

    default_prefix = ''
    name: str = ''
    higher_is_better: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, SetValue] = {}
        self._names: dict[str, int] = {}
        self._folder: Any = None
        self._files: dict[str, VectorFile] = {}

    def _restart(self) -> None:
        """Forget the predictions; targets stay for the next validation if all were used."""
        is_stale = 'gt' in self._files and len(self._files['gt']) != len(self._names)
        for kind in ('pred', 'gt') if is_stale else ('pred',):
            if kind in self._files:
                self._files.pop(kind).path.unlink()
        self._names = {}

    @property
    def value_names(self) -> tuple[str, ...]:
        """Names of the values of :meth:`combine`, the first one first."""
        return (self.name,)

    @property
    def vector_kind(self) -> str:
        """What the vectors are; metrics of equal kinds share them in a sweep."""
        return self.name

    @abstractmethod
    def vectors(self, images: Sequence[Tensor]) -> Array:
        """Return a vector per image, (n, length), always of one length and type.

        Args:
            images: (C, H, W) float each, nominally in [0, 1], finite.
        """

    def summarise(self, part: Part) -> Any:
        """Return what this process hands on of its images: here, keys and all vectors."""
        return list(part.names), *part.vectors()

    @abstractmethod
    def combine(self, summaries: Sequence[Any]) -> dict[str, SetValue]:
        """Return the values, one per name of :attr:`value_names`.

        Args:
            summaries: Of every process.
        """

    # Gathering.

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Keep the vectors of a batch; MMEngine's evaluator passes samples as plain dicts."""
        samples = {sample.key: sample for sample in map(as_sample, data_samples)}
        new = {key: sample for key, sample in samples.items() if key not in self._names}
        if not new:
            return
        named = {vector_id(key, _pixels_of(sample)): sample for key, sample in new.items()}
        unknown = {n: s for n, s in named.items() if n not in self._file('gt')}
        for kind, rows in (('pred', named), ('gt', unknown)):
            if rows:
                add_vectors(self._file(kind), self, list(rows), list(rows.values()), kind)
        self._names |= dict(zip(new, named, strict=True))

    def _file(self, kind: str) -> VectorFile:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix='noiseedit-')
        if kind not in self._files:
            self._files[kind] = VectorFile(Path(self._folder.name) / kind, self.vector_kind)
        return self._files[kind]

    def value_of(self, names: Mapping[str, int], pred: Rows, target: Rows) -> dict[str, SetValue]:
        """Return the values of the images of all processes, each image once; NaN if one is broken.

        Args:
            names: Sample key -> name of the row, of the images that this process saw.
            pred: Rows of predictions; any process may call for its own ``names`` only.
            target: Rows of targets.
        """
        own, total = own_keys(list(names))
        part = Part({key: names[key] for key in own}, pred, target, total)
        if not all(all_gather_object(part.is_finite())):
            return {name: SetValue(float('nan'), total) for name in self.value_names}
        return self.combine(all_gather_object(self.summarise(part)))

    def evaluate(self, size: int) -> dict[str, float]:
        """Return ``{name: value, '<name>/images': number of images}`` over all processes.

        Raises:
            DataError: If no image came.
        """
        pred, target = (Rows([self._files[k]] if k in self._files else []) for k in ('pred', 'gt'))
        names = self._names
        if not any(all_gather_object(len(names))):
            raise DataError(f'{self.name}: no image came; the data set has {size}')
        self.values = self.value_of(names, pred, target)
        self._restart()
        counted = self.values[self.value_names[0]].n
        if counted < size:
            print_log(fewer_images(counted, size), 'current', logging.WARNING)
        return self.compute_metrics(list(self.values.items()))

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Return values and number of images under their names."""
        found = {name: value.value for name, value in results}
        return found | {f'{name}/images': float(value.n) for name, value in results[:1]}


def _pixels_of(sample: EditSample) -> str:
    """Return a hash of the target: a row of its vector serves all that have this target."""
    target = sample.get('gt')
    return '' if target is None else image_hash({'gt': target.detach()})


def joined(summaries: Sequence[tuple[list[str], Array, Array]]) -> tuple[Array, Array]:
    """Return the vectors of all processes, predictions and targets, in the order of their keys."""
    filled = [summary for summary in summaries if summary[0]]
    order = np.argsort([key for keys, _, _ in filled for key in keys])
    pred, target = (np.concatenate([part[side] for part in filled])[order] for side in (1, 2))
    return pred, target


def own_keys(keys: Sequence[str]) -> tuple[list[str], int]:
    """Return which images this process has to count, sorted, and how many there are in all.

    An image that several processes saw belongs to the first of them.
    """
    gathered = all_gather_object(sorted(keys))
    rank = get_dist_info()[0]
    before = {key for part in gathered[:rank] for key in part}
    own = [key for key in gathered[rank] if key not in before]
    return own, len({key for part in gathered for key in part})


def add_vectors(
    file: VectorFile, metric: SetMetric, names: Sequence[int], samples: Sequence[Any], kind: str
) -> None:
    """Append the vectors of ``samples`` to a file.

    Args:
        file: Where to.
        metric: Makes the vectors.
        names: Of the rows.
        samples: With the image ``kind``.
        kind: ``'pred'`` or ``'gt'``.

    Raises:
        DataError: If a sample has no such image, or it is not (C, H, W) float.
    """
    images = [_image(metric, sample, kind) for sample in samples]
    finite = [bool(image.isfinite().all()) for image in images]
    usable = [x if fine else x.new_zeros(x.shape) for x, fine in zip(images, finite, strict=True)]
    file.append(names, metric.vectors(usable), finite)


def _image(metric: SetMetric, sample: EditSample, kind: str) -> Tensor:
    image = sample.get(kind)
    if image is None or image.ndim != 3 or not image.is_floating_point():
        got = None if image is None else (*image.shape, image.dtype)
        raise DataError(
            f'{metric.name}: expected {kind} of {sample.get("key", "?")!r} as (C, H, W) float in '
            f'[0, 1], got {got}{advice_without(kind) if image is None else ""}'
        )
    return image.detach()

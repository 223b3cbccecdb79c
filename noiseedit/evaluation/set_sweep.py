"""Set metrics in a sweep: vectors of every cell in files, values when all are there.

``sweep.vectors/<kind>.<cell>.<rank>.vectors`` holds what :mod:`.metrics.vectors` says, and
``<kind>.target.<rank>.vectors`` the vectors of the targets, which all cells share. Files made under
other weights, config or data are replaced. ``sweep.sets.json`` holds the values that were computed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from mmengine.dist import all_gather_object

from noiseedit.evaluation.metrics.set_metric import Rows, SetMetric, SetValue, add_vectors
from noiseedit.evaluation.metrics.vectors import VectorFile, vector_id
from noiseedit.files import atomic_file, plain
from noiseedit.structures import EditSample

FOLDER = 'sweep.vectors'
TARGET = 'target'
VALUES = 'sweep.sets.json'
Image = tuple[str, str]
"""Sample key and hash of the decoded images."""


class SetSweep:
    """Vectors of the images of all cells, for any number of set metrics (also none).

    Args:
        metrics: Those whose vectors are of one kind share files.
        folder: Work folder.
        rank: Of this process: it writes its own files and reads those that any process left.
        content: Says everything that the vectors depend on.
    """

    def __init__(
        self, metrics: Sequence[SetMetric], folder: str | Path, rank: int, content: str
    ) -> None:
        self.metrics, self.folder, self.rank = metrics, Path(folder) / FOLDER, rank
        self._content = content
        self._kinds = {metric.vector_kind: metric for metric in metrics}
        self._files: dict[tuple[str, str], list[VectorFile]] = {}
        self._left = sorted(self.folder.glob('*.vectors'))
        self._known = KnownValues(Path(folder) / VALUES)
        self._load()

    def _load(self) -> None:
        """Read the names of all rows now, before another process changes its files."""
        for kind in self._kinds:
            start = f'{_short(kind)}.'
            cells = {path.name.split('.')[1] for path in self._left if path.name.startswith(start)}
            for cell in cells:
                self._open(kind, cell)

    def _open(self, kind: str, cell: str) -> list[VectorFile]:
        """Return the files of a cell, that of this process first."""
        if (kind, cell) not in self._files:
            stem = f'{_short(kind)}.{cell}.'
            own = self.folder / f'{stem}{self.rank}.vectors'
            others = [path for path in self._left if path.name.startswith(stem) and path != own]
            content = f'{self._content}|{kind}|{cell}'
            self._files[kind, cell] = [VectorFile(path, content) for path in (own, *others)]
        return self._files[kind, cell]

    def _has(self, kind: str, cell: str, name: int) -> bool:
        return any(name in file for file in self._open(kind, cell))

    def has(self, cell: str, images: Sequence[Image]) -> bool:
        """Whether all vectors of ``images`` in a cell are there."""
        names = [vector_id(*image) for image in images]
        return all(
            self._has(kind, part, name)
            for kind in self._kinds
            for part in (cell, TARGET)
            for name in names
        )

    def add(self, cell: str, images: Sequence[Image], samples: Sequence[EditSample]) -> None:
        """Write the vectors of predictions, and of targets the first time."""
        for kind, metric in self._kinds.items():
            for part, image_name in ((cell, 'pred'), (TARGET, 'gt')):
                named = {vector_id(*image): s for image, s in zip(images, samples, strict=True)}
                new = {name: s for name, s in named.items() if not self._has(kind, part, name)}
                if new:
                    file = self._open(kind, part)[0]
                    add_vectors(file, metric, list(new), list(new.values()), image_name)

    def values(
        self, cells: Sequence[str], seen: Mapping[str, str]
    ) -> dict[str, dict[str, SetValue]]:
        """Return identity of the cell -> {name: value}; all processes must call it.

        Args:
            cells: Identities; repeated ones are computed once.
            seen: Sample key -> hash, of the images of this process.
        """
        names = {key: vector_id(key, data) for key, data in seen.items()}
        if not self.metrics:
            return {}
        everywhere = {name for part in all_gather_object(list(names.values())) for name in part}
        images = ','.join(map(str, sorted(everywhere)))
        found: dict[str, dict[str, SetValue]] = {cell: {} for cell in cells}
        for cell in found:
            for metric in self.metrics:
                found[cell] |= self._value(metric, cell, names, images)
        return found

    def _value(
        self, metric: SetMetric, cell: str, names: Mapping[str, int], images: str
    ) -> dict[str, SetValue]:
        made_of = (self._content, metric.vector_kind, *metric.value_names, cell, images)
        stamp = _short('|'.join(made_of), size=16)
        known = self._known.get(stamp)
        if all(all_gather_object(known is not None)):
            return known or {}
        pred, target = (Rows(self._open(metric.vector_kind, part)) for part in (cell, TARGET))
        values = metric.value_of(names, pred, target)
        if self.rank == 0:
            self._known.add(stamp, values)
        return values


class KnownValues:
    """Values of sets in a JSON file, each under a hash of everything that it depends on.

    Args:
        path: The file; one that cannot be read counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._values = dict(json.loads(path.read_text()))
        except (OSError, ValueError):
            self._values = {}

    def get(self, stamp: str) -> dict[str, SetValue] | None:
        """Return the values under a hash; ``None``: they are not known."""
        found = self._values.get(stamp)
        return None if found is None else {name: _restored(v) for name, v in found.items()}

    def add(self, stamp: str, values: Mapping[str, SetValue]) -> None:
        """Write values; they survive the death of the process."""
        self._values[stamp] = plain({name: value._asdict() for name, value in values.items()})
        with atomic_file(self.path) as temporary:
            temporary.write_text(json.dumps(self._values))


def _restored(value: Mapping[str, Any]) -> SetValue:
    numbers = {key: float('nan') if value[key] is None else value[key] for key in ('value', 'std')}
    return SetValue(**{**value, **numbers})


def _short(text: str, size: int = 4) -> str:
    """Return a hash of ``size`` bytes as text, for names of files."""
    return blake2b(text.encode(), digest_size=size).hexdigest()

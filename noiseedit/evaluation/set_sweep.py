"""Set metrics in a sweep: vectors of every cell in files, values when all are there.

``sweep.vectors/<kind>.<cell>.<rank>.vectors`` holds what :mod:`.metrics.vectors` says, and
``<kind>.target.<rank>.vectors`` the vectors of the targets, which all cells share. Files made under
other weights, config or data are replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from noiseedit.evaluation.metrics.set_metric import Rows, SetMetric, SetValue, add_vectors
from noiseedit.evaluation.metrics.vectors import VectorFile, vector_id
from noiseedit.structures import EditSample

FOLDER = 'sweep.vectors'
TARGET = 'target'
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
        return {cell: self._values(cell, names) for cell in dict.fromkeys(cells)}

    def _values(self, cell: str, names: Mapping[str, int]) -> dict[str, SetValue]:
        found: dict[str, SetValue] = {}
        for metric in self.metrics:
            pred, target = (Rows(self._open(metric.vector_kind, part)) for part in (cell, TARGET))
            found |= metric.value_of(names, pred, target)
        return found


def _short(kind: str) -> str:
    """Return a name for files."""
    return blake2b(kind.encode(), digest_size=4).hexdigest()

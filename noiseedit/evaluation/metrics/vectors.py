"""Vectors of images in a file: memory does not grow with their number, a killed run keeps them.

A file begins with one line of JSON: what the vectors are (any text), their type and length. Rows of
one size follow: a 64-bit hash that names the image, whether the image was finite, and the vector.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from noiseedit.errors import DataError
from noiseedit.evaluation.profiles import Array


def vector_id(key: str, data: str = '') -> int:
    """Return the 64-bit name of an image: of its key and, where given, a hash of its pixels."""
    digest = blake2b(f'{key}|{data}'.encode(), digest_size=8).digest()
    return int.from_bytes(digest, 'little')


class VectorFile:
    """Rows that can be appended and read in any order; opened only while it is used.

    Args:
        path: The file; made with the first row. A file of another ``content`` is replaced then.
        content: Says what the vectors are and what they depend on.
    """

    def __init__(self, path: str | Path, content: str) -> None:
        self.path, self.content = Path(path), content
        self._rows: dict[int, int] = {}
        self._dtype: np.dtype[Any] | None = None
        self._start = self._count = 0
        self._load()

    def __contains__(self, name: int) -> bool:
        """Whether the file holds the vector of an image, named by :func:`vector_id`."""
        return name in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def _load(self) -> None:
        if not self.path.is_file():
            return
        with self.path.open('rb') as file:
            header = _header(file)
            if header.get('content') != self.content:
                return
            self._start = file.tell()
        self._dtype = _row_type(header['dtype'], header['length'])
        count = (self.path.stat().st_size - self._start) // self._dtype.itemsize
        names = self._map(count)['name'].tolist() if count else []
        self._rows = {name: row for row, name in enumerate(names)}
        self._count = count

    def append(self, names: Sequence[int], vectors: Array, finite: Sequence[bool]) -> None:
        """Add rows; they survive the death of the process.

        Args:
            names: Of the images, see :func:`vector_id`.
            vectors: (n, length), always of one length and type.
            finite: Whether the image held neither NaN nor infinity.

        Raises:
            DataError: If length or type differ from those in the file.
        """
        dtype = _row_type(vectors.dtype.str, vectors.shape[1])
        if self._dtype is None:
            self._begin(vectors)
        if self._dtype != dtype:
            raise DataError(
                f'set metric: expected vectors as in the rows before, {self._dtype}, got {dtype}; '
                'are all images of one size?'
            )
        rows = np.zeros(len(vectors), dtype)
        rows['name'], rows['finite'], rows['vector'] = names, finite, vectors
        with self.path.open('r+b') as file:
            file.seek(self._start + self._count * rows.itemsize)  # over a row that a kill cut
            file.write(rows.tobytes())
        self._rows |= {name: self._count + i for i, name in enumerate(names)}
        self._count += len(rows)

    def _begin(self, vectors: Array) -> None:
        header = {
            'content': self.content,
            'dtype': vectors.dtype.str,
            'length': vectors.shape[1],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(header) + '\n')
        self._load()

    def read(self, names: Iterable[int]) -> Array:
        """Return vectors, (n, length).

        Raises:
            KeyError: If the file holds no such image.
        """
        wanted = [self._rows[name] for name in names]
        if self._dtype is None:
            return np.zeros((0, 0), np.float32)
        return np.ascontiguousarray(self._map(self._count)['vector'][wanted])

    def is_finite(self, names: Iterable[int]) -> Array:
        """Return whether each image was finite, (n,) bool, without reading its vector."""
        wanted = [self._rows[name] for name in names]
        return self._map(self._count)['finite'][wanted].astype(bool) if wanted else np.ones(0, bool)

    def _map(self, count: int) -> Array:
        dtype = self._dtype
        return np.memmap(self.path, dtype, 'r', offset=self._start, shape=(count,))


def _header(file: BinaryIO) -> dict[str, Any]:
    try:
        return dict(json.loads(file.readline()))
    except (ValueError, TypeError):
        return {}


def _row_type(dtype: str, length: int) -> np.dtype[Any]:
    return np.dtype([('name', '<u8'), ('finite', 'u1'), ('vector', dtype, (length,))])

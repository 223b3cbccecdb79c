"""Images inside MATLAB files: blocks of one size in one array, as SIDD gives them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from noiseedit.datasets.store import ImageStore, digest, open_store, progress, state_of
from noiseedit.errors import DataError
from noiseedit.imaging import PathLike


class MatBlocks:
    """The images of an array (..., H, W, 3) uint8 in a MATLAB file, by key.

    Keys are the indices of the leading axes: ``'07_31'`` is block 31 of image 7. With a cache the
    array is unpacked once into a memory-mapped file, which all processes of a machine share;
    without, every process holds it.

    Args:
        path: A file of MATLAB version 5 to 7.2.
        name: The variable; ``None``: the only one in the file.
        cache: See :func:`~noiseedit.datasets.store.open_images`.

    Raises:
        DataError: If the file cannot be read, or has no such variable, or none of such images.
    """

    def __init__(
        self, path: PathLike, name: str | None = None, cache: PathLike | None = None
    ) -> None:
        self.root = Path(path)
        self.name, shape = _find_variable(self.root, name)
        if len(shape) < 4 or shape[-1] != 3:
            raise DataError(
                f'{path}: expected {self.name} as (..., height, width, 3), got {tuple(shape)}'
            )
        self.leading = shape[:-3]
        widths = [len(str(size - 1)) for size in self.leading]
        self.keys = [
            '_'.join(f'{i:0{width}d}' for i, width in zip(index, widths, strict=True))
            for index in np.ndindex(*self.leading)
        ]
        self.files = [self.root] * len(self.keys)
        self._store = None if cache is None else self._open_store(cache)

    def _open_store(self, cache: PathLike) -> ImageStore:
        name = f'{self.root.stem}-{digest(str(self.root.resolve()), self.name)[:12]}'
        fingerprint = digest(self.name, state_of(self.root, self.root.parent))
        return open_store(cache, name, fingerprint, self._progress)

    def _progress(self) -> Iterator[np.ndarray]:
        yield from progress(self.blocks, len(self), 'unpacking')

    @cached_property
    def blocks(self) -> np.ndarray:
        """All images, (n, H, W, 3) uint8."""
        blocks = _read(self.root, self.name)
        if blocks.dtype != np.uint8:
            raise DataError(f'{self.root}: expected {self.name} as uint8, got {blocks.dtype}')
        return blocks.reshape(-1, *blocks.shape[-3:])

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.blocks[index] if self._store is None else self._store[index]

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != 'blocks'}


def _find_variable(path: Path, name: str | None) -> tuple[str, tuple[int, ...]]:
    """Return name and shape of the variable, from the headers alone."""
    from scipy.io import whosmat

    try:
        found = {variable: shape for variable, shape, _ in whosmat(str(path))}
    except (OSError, ValueError, NotImplementedError) as error:
        raise DataError(f'{path}: cannot be read as a MATLAB file: {error}') from error
    if name is None and len(found) == 1:
        name = next(iter(found))
    if name is None or name not in found:
        wanted = 'one variable' if name is None else f'the variable {name!r}'
        raise DataError(f'{path}: expected {wanted}, got {", ".join(found) or "none"}')
    return name, found[name]


def _read(path: Path, name: str) -> np.ndarray:
    from scipy.io import loadmat

    try:
        array: np.ndarray = np.ascontiguousarray(loadmat(str(path), variable_names=[name])[name])
    except Exception as error:  # what zlib and scipy raise on damage has no common base
        raise DataError(f'{path}: {name} cannot be read: {error}') from error
    return array

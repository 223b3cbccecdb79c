"""Decoded images without decoding: one flat file, memory-mapped, or the same thing in memory.

Layout: every image's bytes, aligned to 64; an int64 table (offset, height, width, channels, bytes
per value; offset -1: unreadable); a JSON footer; the footer's length; a magic number. Writing is
front to back, so building needs the memory of a few images.
"""

from __future__ import annotations

import json
import logging
import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, TypeVar

import numpy as np
from mmengine.logging import print_log

from noiseedit.errors import DataError
from noiseedit.files import atomic_file
from noiseedit.imaging import PathLike, read_image

MAGIC = b'NEIMAGE1'
ALIGNMENT = 64
SUFFIX = '.images'
_TAIL = 8 + len(MAGIC)

Channels: TypeAlias = Literal[1, 3] | None
Decoded: TypeAlias = np.ndarray | DataError
Item = TypeVar('Item')


class ImageFiles:
    """Images read from their files at every access."""

    def __init__(self, files: Sequence[Path], channels: Channels) -> None:
        self.files, self.channels = list(files), channels

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> np.ndarray:
        return read_image(self.files[index], channels=self.channels)


class ImageStore:
    """Images read from a store: views of (H, W, C) without a copy, not to be written to.

    Args:
        source: A store file (it is mapped, and mapped anew in every process) or its bytes.

    Raises:
        DataError: If ``source`` is no complete store.
    """

    def __init__(self, source: Path | bytes) -> None:
        self.source = source
        self.flat = _map(source) if isinstance(source, Path) else np.frombuffer(source, np.uint8)
        self.meta, self.index = _footer(self.flat, source)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: int) -> np.ndarray:
        offset, height, width, channels, itemsize = self.index[index].tolist()
        if offset < 0:
            raise DataError(self.meta['unreadable'][str(index)])
        block = self.flat[offset : offset + height * width * channels * itemsize]
        block = block if itemsize == 1 else block.view(np.float32)
        return block.reshape(height, width, channels)

    def stacked(self) -> np.ndarray | None:
        """Return all images as one (N, H, W, C) uint8 view, or ``None`` if sizes or gaps forbid."""
        shape, size = self.index[0, 1:], int(self.index[0, 1:].prod())
        offsets: np.ndarray = np.arange(len(self)) * size
        if (
            (self.index[:, 1:] != shape).any()
            or (self.index[:, 0] != offsets).any()
            or shape[3] > 1
        ):
            return None
        return self.flat[: len(self) * size].reshape(len(self), *shape[:3])

    def __getstate__(self) -> Path | bytes:
        return self.source

    def __setstate__(self, source: Path | bytes) -> None:
        self.__init__(source)  # type: ignore[misc]


def _map(path: Path) -> np.ndarray:
    with path.open('rb') as file:
        if path.stat().st_size < _TAIL:
            raise DataError(f'{path}: not a complete image cache')
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)


def _footer(flat: np.ndarray, source: Path | bytes) -> tuple[dict[str, Any], np.ndarray]:
    name = source if isinstance(source, Path) else 'memory'
    tail = flat[-_TAIL:].tobytes()
    length = int.from_bytes(tail[:8], 'little')
    if tail[8:] != MAGIC or length + _TAIL > flat.size:
        raise DataError(f'{name}: not a complete image cache')
    meta = json.loads(flat[flat.size - _TAIL - length : flat.size - _TAIL].tobytes())
    start, rows = meta['index'], meta['count']
    return meta, flat[start : start + rows * 40].view(np.int64).reshape(rows, 5)


# Building.


def write_store(stream: BinaryIO, images: Iterable[Decoded], fingerprint: str) -> None:
    """Write a store; an error in place of an image is kept and raised when it is asked for."""
    table, unreadable, end = [], {}, 0
    for number, image in enumerate(images):
        if isinstance(image, DataError):
            unreadable[str(number)] = str(image)
            table.append((-1, 0, 0, 0, 1))
            continue
        table.append((end, *image.shape, image.itemsize))
        end += _write_aligned(stream, np.ascontiguousarray(image).data.cast('B'))
    _write_aligned(stream, np.array(table, np.int64).tobytes())
    meta = {'index': end, 'count': len(table), 'fingerprint': fingerprint}
    footer = json.dumps({**meta, 'unreadable': unreadable}).encode()
    stream.write(footer + len(footer).to_bytes(8, 'little') + MAGIC)


def _write_aligned(stream: BinaryIO, block: bytes | memoryview) -> int:
    padding = -len(block) % ALIGNMENT
    stream.write(block)
    stream.write(bytes(padding))
    return len(block) + padding


def open_store(
    cache: PathLike, name: str, fingerprint: str, images: Callable[[], Iterable[Decoded]]
) -> ImageStore:
    """Return the store of ``images()``; from a file, it is made only where missing or stale.

    Args:
        cache: ``'memory'``, or the folder of store files (made if missing).
        name: What the file is called.
        fingerprint: Of everything the images are made from; another one means stale.
        images: Produces the decoded images, or an error in the place of an unreadable one.

    Raises:
        DataError: If the file cannot be written.
    """
    if cache == 'memory':
        buffer = BytesIO()
        write_store(buffer, images(), fingerprint)
        return ImageStore(buffer.getvalue())
    path = Path(cache) / f'{name}{SUFFIX}'
    if (store := _fresh(path, fingerprint)) is not None:
        return store
    try:
        return _build(path, fingerprint, images)
    except OSError as error:
        raise DataError(f'{path}: the image cache cannot be written: {error}') from error


def _build(path: Path, fingerprint: str, images: Callable[[], Iterable[Decoded]]) -> ImageStore:
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        store = _fresh(path, fingerprint)  # perhaps another process has just made it
        if store is None:
            state = 'stale, made anew' if path.exists() else 'made'
            with atomic_file(path) as temporary, temporary.open('wb') as file:
                write_store(file, images(), fingerprint)
            store = ImageStore(path)
            size = store.flat.size / 2**20
            print_log(
                f'image cache {path}: {state}, {len(store)} images, {size:.0f} MiB', 'current'
            )
            _tell_unreadable(store)
    return store


def _tell_unreadable(store: ImageStore) -> None:
    for error in store.meta['unreadable'].values():
        print_log(f'unreadable: {error}', 'current', logging.WARNING)


def _fresh(path: Path, fingerprint: str) -> ImageStore | None:
    try:
        store = ImageStore(path)
    except (OSError, DataError, ValueError, KeyError):
        return None
    return store if store.meta['fingerprint'] == fingerprint else None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time build ``path`` (where the system has no locks: the last wins)."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (path.parent / f'.{path.name}.lock').open('w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# Files.


def open_images(
    root: Path,
    files: Sequence[Path],
    channels: Channels = 3,
    cache: PathLike | None = None,
    label: str = '',
) -> ImageFiles | ImageStore:
    """Return the images of ``files`` by index, read from them or from a store made of them.

    Args:
        root: Their folder; names the store file.
        files: Image files below ``root``.
        channels: See :func:`~noiseedit.imaging.read_image`.
        cache: ``None``: decode at every access. ``'memory'``: decode once, now. A folder: decode
            once into a file there, made anew when a name, size or modification time changes.
        label: Tells stores of different choices of files of one folder apart.
    """
    if cache is None:
        return ImageFiles(files, channels)
    place = root.resolve()
    name = f'{place.name}-{digest(str(place), str(channels), label)[:12]}'
    fingerprint = digest(str(channels), *(state_of(path, root) for path in files))
    return open_store(cache, name, fingerprint, lambda: decode_all(files, channels))


def decode_all(files: Sequence[Path], channels: Channels) -> Iterator[Decoded]:
    """Yield every file decoded, in order, by a few threads, with a progress bar on a terminal."""

    def read(path: Path) -> Decoded:
        try:
            return read_image(path, channels=channels)
        except DataError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        chunks = [files[start : start + 64] for start in range(0, len(files), 64)]
        images = (image for chunk in chunks for image in pool.map(read, chunk))
        yield from progress(images, len(files))


def progress(items: Iterable[Item], total: int, text: str = 'decoding') -> Iterable[Item]:
    """Show a bar while ``items`` are consumed, on a terminal only."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    hidden = not console.is_terminal
    return track(items, text, total=total, console=console, transient=True, disable=hidden)


def state_of(path: Path, root: Path) -> str:
    """Return name, size and modification time of a file as one line."""
    state = path.stat()
    return f'{path.relative_to(root).as_posix()}|{state.st_size}|{state.st_mtime_ns}'


def digest(*texts: str) -> str:
    """Return 32 hexadecimal digits of BLAKE2b over the texts."""
    return blake2b('\n'.join(texts).encode(), digest_size=16).hexdigest()

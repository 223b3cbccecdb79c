"""Finished images of a whole data set in a file, as long as what they are made from is the same."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from noiseedit.datasets.store import SUFFIX as IMAGES_SUFFIX
from noiseedit.datasets.store import digest, locked
from noiseedit.errors import ConfigError, DataError
from noiseedit.files import atomic_file
from noiseedit.imaging import PathLike
from noiseedit.version import __version__

SUFFIX = '.whole'
Facts = dict[str, Any]


class Content(NamedTuple):
    """All images of a set.

    Attributes:
        images: Input name -> (N, C, H, W), uint8 or float32 in [0, 1].
        facts: Metainfo of every image, without ``visit``.
    """

    images: dict[str, Tensor]
    facts: list[Facts]


def cached_content(
    cache: PathLike,
    config: Mapping[str, Any],
    seed: int,
    witnesses: Iterable[np.ndarray],
    make: Callable[[], Content],
) -> Content:
    """Return what ``make`` gives, from a file of the folder ``cache`` where that is up to date.

    The images are memory-mapped: processes share them.

    Args:
        cache: The folder; made if missing.
        config: Config of the data set; the file is made anew when it or any file that it names
            changes (name, size or modification time).
        seed: Base seed of the data set.
        witnesses: Some of its images as they come out now, so that a change of the code, or of what
            a name in the config means, is seen.
        make: Reads the images.

    Raises:
        ConfigError: If the config holds something without a stable text.
        DataError: If the file cannot be written.
    """
    text = _text(config)
    path = Path(cache) / f'{config.get("type", "set")}-{digest(text, str(seed))[:12]}{SUFFIX}'
    fingerprint = digest(
        __version__, text, str(seed), *_file_states(config), *map(_digest, witnesses)
    )
    content = _fresh(path, fingerprint)
    if content is not None:
        return content
    try:
        return _build(path, fingerprint, make)
    except OSError as error:
        raise DataError(f'{path}: the image cache cannot be written: {error}') from error


def _build(path: Path, fingerprint: str, make: Callable[[], Content]) -> Content:
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        content = _fresh(path, fingerprint)  # perhaps another process has just made it
        if content is not None:
            return content
        what = 'stale, made anew' if path.exists() else 'made'
        _write(path, fingerprint, make())
        print_log(f'image cache {path}: {what}, {path.stat().st_size / 2**20:.0f} MiB', 'current')
        content = _load(path, fingerprint)
    if content is None:
        raise DataError(f'{path}: changed while it was read; is another version writing it?')
    return content


def _write(path: Path, fingerprint: str, content: Content) -> None:
    """Write images as tensors, and facts as JSON, which is read much faster than pickles."""
    try:
        facts = json.dumps(content.facts)
    except TypeError as error:
        raise DataError(
            f'{path}: the metainfo of the images holds more than numbers, text, lists and dicts '
            f'({error}); set cache=None'
        ) from error
    state = {'fingerprint': fingerprint, 'images': content.images, 'facts': facts}
    with atomic_file(path) as temporary:
        torch.save(state, temporary)


def _fresh(path: Path, fingerprint: str) -> Content | None:
    try:
        return _load(path, fingerprint)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError):
        return None


def _load(path: Path, fingerprint: str) -> Content | None:
    """Return what the file holds; ``None`` if it has another fingerprint."""
    state = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    if state['fingerprint'] != fingerprint:
        return None
    facts = [{k: _tuples(v) for k, v in one.items()} for one in json.loads(state['facts'])]
    return Content(state['images'], facts)


def _tuples(value: Any) -> Any:
    """Return sequences as the tuples they were (sizes, windows); JSON knows lists alone."""
    return tuple(value) if isinstance(value, list) else value


def _text(config: Mapping[str, Any]) -> str:
    """Return the config as text, without its caches: they change no image."""
    try:
        return json.dumps(_without_caches(config), sort_keys=True, default=os.fspath)
    except TypeError as error:
        raise ConfigError(
            f'WholeSet: cache needs a config of numbers, text, lists and dicts alone: {error}'
        ) from error


def _without_caches(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _without_caches(value) for key, value in node.items() if key != 'cache'}
    return [_without_caches(x) for x in node] if isinstance(node, (list, tuple)) else node


def _file_states(config: Mapping[str, Any]) -> list[str]:
    """Return name, size and modification time of every file that the config names.

    Of a folder: every file below it. Hidden files and caches are left out.
    """
    files = {file for text in _texts(_without_caches(config)) for file in _files(text)}
    kept = (file for file in sorted(files) if file.suffix not in (SUFFIX, IMAGES_SUFFIX))
    return [f'{file}|{(state := file.stat()).st_size}|{state.st_mtime_ns}' for file in kept]


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from _texts(value)
    elif isinstance(node, (str, os.PathLike)):
        yield os.fspath(node)


def _files(text: str) -> Iterator[Path]:
    if os.path.isfile(text):  # noqa: PTH113  # any text may come, also one too long for a path
        yield Path(text)
    for folder, folders, names in os.walk(text, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith('.')]
        yield from (Path(folder) / name for name in names if not name.startswith('.'))


def _digest(image: np.ndarray) -> str:
    parts: Sequence[bytes] = (str((image.shape, image.dtype)).encode(), image.tobytes())
    return blake2b(b''.join(parts), digest_size=16).hexdigest()

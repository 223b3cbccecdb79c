"""Finished images of a whole data set in a file, as long as what they are made from is the same."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log

from noiseedit.datasets.store import SUFFIX as IMAGES_SUFFIX
from noiseedit.datasets.store import digest, locked
from noiseedit.errors import ConfigError, DataError
from noiseedit.files import atomic_file
from noiseedit.imaging import PathLike
from noiseedit.version import __version__

SUFFIX = '.whole'
State = dict[str, Any]


def cached_state(
    cache: PathLike,
    config: Mapping[str, Any],
    seed: int,
    witnesses: Iterable[np.ndarray],
    make: Callable[[], State],
) -> State:
    """Return what ``make`` gives, from a file of the folder ``cache`` where that is up to date.

    Tensors of the result are memory-mapped: processes share them.

    Args:
        cache: The folder; made if missing.
        config: Config of the data set; the file is made anew when it or any file that it names
            changes (name, size or modification time).
        seed: Base seed of the data set.
        witnesses: Some of its images as they come out now, so that a change of the code, or of what
            a name in the config means, is seen.
        make: Gives tensors and plain types.

    Raises:
        ConfigError: If the config holds something without a stable text.
        DataError: If the file cannot be written.
    """
    text = _text(config)
    path = Path(cache) / f'{config.get("type", "set")}-{digest(text, str(seed))[:12]}{SUFFIX}'
    fingerprint = digest(
        __version__, text, str(seed), *_file_states(config), *map(_digest, witnesses)
    )
    state = _fresh(path, fingerprint)
    if state is not None:
        return state
    try:
        return _build(path, fingerprint, make)
    except OSError as error:
        raise DataError(f'{path}: the image cache cannot be written: {error}') from error


def _build(path: Path, fingerprint: str, make: Callable[[], State]) -> State:
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        state = _fresh(path, fingerprint)  # perhaps another process has just made it
        if state is not None:
            return state
        what = 'stale, made anew' if path.exists() else 'made'
        with atomic_file(path) as temporary:
            torch.save({'fingerprint': fingerprint, 'state': make()}, temporary)
        print_log(f'image cache {path}: {what}, {path.stat().st_size / 2**20:.0f} MiB', 'current')
        state = _fresh(path, fingerprint)
    if state is None:
        raise DataError(
            f'{path}: metainfo of the images holds more than numbers, text, lists and dicts; '
            'set cache=None'
        )
    return state


def _fresh(path: Path, fingerprint: str) -> State | None:
    try:
        found = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
        return found['state'] if found['fingerprint'] == fingerprint else None
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError):
        return None


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

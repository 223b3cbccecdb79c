"""Files that are written whole or not at all; results as strict JSON."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def atomic_file(path: str | os.PathLike[str], *, flush: bool = False) -> Iterator[Path]:
    """Yield a temporary file in the same folder; it becomes ``path`` if the block succeeds.

    Folders are made. After an error the temporary file is gone and an older ``path`` is intact.

    Args:
        path: The file to be written.
        flush: Force file and folder entry onto the disk: the file also survives a power cut.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f'.{path.name}.', suffix='.tmp', dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        if flush:
            _flush(temporary)
        temporary.replace(path)
        if flush:
            _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Force a file or folder entry onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


# JSON.


def write_json(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write strict JSON atomically, one line per entry of each list of dicts; see :func:`plain`."""
    parts = [f'{json.dumps(key)}: {_block(value)}' for key, value in plain(dict(content)).items()]
    with atomic_file(path) as temporary:
        temporary.write_text('{\n' + ',\n'.join(parts) + '\n}\n')


def _block(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return '[\n ' + ',\n '.join(json.dumps(item, allow_nan=False) for item in value) + '\n]'
    return json.dumps(value, allow_nan=False)


def plain(value: Any) -> Any:
    """Return ``value`` for strict JSON: NaN and infinity become ``None``, numbers Python's."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value

"""Checkpoints: plain types only, written atomically, read without running code.

The way of a file: :func:`save_checkpoint` writes a temporary file in the same folder, flushes it
to the disk and renames it; :func:`load_checkpoint` reads it with ``weights_only=True``;
:func:`~noiseedit.engine.weights.load_weights` puts its tensors into a module.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

from noiseedit.engine.plain import to_plain
from noiseedit.errors import CheckpointError
from noiseedit.files import atomic_file

LAST_CHECKPOINT = 'last_checkpoint'
STEP_FILE = re.compile(r'(?:iter|epoch)_(\d+)\.pth')


class DamagedCheckpointError(CheckpointError):
    """A file that is no complete checkpoint."""


# Writing.


def save_checkpoint(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    """Write ``checkpoint`` to ``path``, converted by :func:`~noiseedit.engine.plain.to_plain`.

    The file appears complete or not at all; an older file of that name stays until then.

    Raises:
        CheckpointError: If an object cannot be made plain, or the file cannot be written (disk
            full): the temporary file is removed and nothing else is touched.
    """
    plain = to_plain(checkpoint)
    write_atomically(path, lambda temporary: torch.save(plain, temporary))


def write_atomically(path: str | Path, write: Callable[[Path], Any]) -> None:
    """Call ``write`` with a temporary file beside ``path``; flush it and rename it to ``path``.

    Raises:
        CheckpointError: If writing fails; the temporary file is removed.
    """
    try:
        with atomic_file(path, flush=True) as temporary:
            write(temporary)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f'{path}: cannot write the checkpoint ({error}). The files written before are intact. '
            'Free disk space or choose another --work-dir, then continue with --resume'
        ) from error


def remove_leftovers(folder: str | Path) -> None:
    """Delete temporary files that a killed process left in ``folder``."""
    for pattern in ('.*.pth.*.tmp', f'.{LAST_CHECKPOINT}.*.tmp'):
        for leftover in Path(folder).glob(pattern):
            leftover.unlink(missing_ok=True)


# Reading.


def load_checkpoint(
    path: str | Path, trust: bool = False, map_location: str | torch.device = 'cpu'
) -> dict[str, Any]:
    """Read a checkpoint without running code that it may hold.

    Files of other MMEngine projects hold log histories and NumPy scalars: these classes alone are
    allowed, and ``getattr`` only on the four statistics of a history (see docs/training.md).

    Args:
        path: The file.
        trust: Read any pickle, **running the code in it**; only for files of a trusted source.
        map_location: Device of the tensors.

    Raises:
        CheckpointError: If the file is missing, damaged or holds code; says what to do.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f'{path}: no such checkpoint{_neighbours(path.parent)}')
    try:
        with torch.serialization.safe_globals(_stock_globals()):
            loaded = torch.load(path, map_location=map_location, weights_only=not trust)
    except pickle.UnpicklingError as error:
        raise _unreadable(path, error) from error
    except Exception as error:
        raise _damaged(path, error) from error
    return loaded if isinstance(loaded, dict) else {'state_dict': loaded}


def _neighbours(folder: Path) -> str:
    found = sorted(file.name for file in folder.glob('*.pth'))
    return f'; {folder} has {", ".join(found[:5])}' if found else ''


def _damaged(path: Path, error: BaseException) -> DamagedCheckpointError:
    reason = str(error).split('. ')[0].splitlines()[:1] or [type(error).__name__]
    return DamagedCheckpointError(
        f'{path}: damaged or no checkpoint ({path.stat().st_size} bytes; {reason[0]}). '
        'Take another file; train.py --resume falls back to the newest complete one'
    )


def _unreadable(path: Path, error: pickle.UnpicklingError) -> CheckpointError:
    unsafe = _unsafe_globals(path, error)
    if not unsafe:
        return _damaged(path, error)
    return CheckpointError(
        f'{path}: holds code (globals {", ".join(unsafe)}), which reading the file could run. '
        'Pass --trust-checkpoint if you trust the file'
    )


def _unsafe_globals(path: Path, error: pickle.UnpicklingError) -> list[str]:
    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # the older format without zip: the message is the only source
        return re.findall(r'GLOBAL (\S+) was not', str(error))


def _history_attribute(owner: Any, name: str) -> Any:
    """Stand in for ``getattr`` while reading: the four statistics of a log history, no more."""
    if owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current'):
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(f'GLOBAL builtins.getattr was not allowed for {name!r}')


def _stock_globals() -> list[Any]:
    multiarray = (np._core if hasattr(np, '_core') else np.core).multiarray
    dtypes = [type(np.dtype(name)) for name in ('float64', 'float32', 'int64')]
    arrays = [multiarray._reconstruct, multiarray.scalar, np.ndarray, np.dtype]
    return [HistoryBuffer, *arrays, *dtypes, (_history_attribute, 'builtins.getattr')]


# Choosing.


def latest_valid(work_dir: str | Path, trust: bool = False) -> Path | None:
    """Return the newest complete training checkpoint of ``work_dir``; ``None`` if it has none.

    A damaged one is skipped with a warning that names it and the one taken instead.

    Raises:
        CheckpointError: If there are checkpoints and none can be read, or the newest holds code.
    """
    damaged: list[str] = []
    for candidate in _candidates(Path(work_dir)):
        try:
            verify(candidate, trust)
        except DamagedCheckpointError as error:
            damaged.append(str(error))
            continue
        if damaged:
            warnings.warn(f'{" ".join(damaged)} Taken instead: {candidate}', stacklevel=2)
        return candidate
    if damaged:
        raise CheckpointError(f'no complete checkpoint in {work_dir}: {" ".join(damaged)}')
    return None


def _candidates(work_dir: Path) -> list[Path]:
    """Return the training checkpoints of ``work_dir``, newest first.

    That is the one ``last_checkpoint`` names, those before it (by the number in the name, highest
    first), and then those after it, which an earlier and longer run may have left.
    """
    files = [file for file in work_dir.glob('*.pth') if STEP_FILE.fullmatch(file.name)]
    files.sort(key=_step, reverse=True)
    last = _pointed_at(work_dir)
    if last is None:
        return files
    others = [file for file in files if file != last]
    return [last, *sorted(others, key=lambda file: _step(file) > _step(last))]


def _pointed_at(work_dir: Path) -> Path | None:
    pointer = work_dir / LAST_CHECKPOINT
    if not pointer.is_file():
        return None
    last = work_dir / pointer.read_text().strip()
    return next((file for file in (last, work_dir / last.name) if file.is_file()), None)


def _step(file: Path) -> int:
    numbers = re.findall(r'\d+', file.stem)
    return int(numbers[-1]) if numbers else -1


def verify(path: str | Path, trust: bool = False) -> dict[str, Any]:
    """Return the checkpoint after comparing every stored checksum.

    Raises:
        CheckpointError: As :func:`load_checkpoint`.
    """
    checkpoint = load_checkpoint(path, trust)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
        if broken:
            raise _damaged(Path(path), ValueError(f'checksum of {broken} differs'))
    return checkpoint


# Weights.


def weights_of(checkpoint: Mapping[str, Any], ema: bool = False) -> dict[str, Tensor]:
    """Return the weights in a checkpoint: its ``state_dict``, or itself if it is all tensors.

    Args:
        checkpoint: What :func:`load_checkpoint` returned.
        ema: Replace the weights that have a moving average by it.

    Raises:
        CheckpointError: If there are no weights, or no average and ``ema`` asks for it.
    """
    state = checkpoint.get('state_dict', checkpoint)
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(
            f'no weights: expected the key state_dict or tensors only, got keys '
            f'{", ".join(map(str, list(checkpoint)[:8]))}. Released files need tools/convert.py'
        )
    if ema and 'ema_state_dict' not in checkpoint:
        raise CheckpointError('no moving average in this checkpoint: use its plain weights')
    return {**state, **(checkpoint['ema_state_dict'] if ema else {})}

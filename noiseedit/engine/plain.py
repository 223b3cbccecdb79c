"""Reduce what a training run holds to tensors and plain Python types, and back.

A file of such types needs no code to be read: ``torch.load(weights_only=True)`` accepts it with
an empty list of allowed classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

from noiseedit.engine.history import BoundedHistory
from noiseedit.errors import CheckpointError

HISTORY_KEYS = frozenset(('log', 'count', 'max_length'))
_SCALARS: tuple[Callable[..., Any], ...] = (bool, int, float, complex, str, bytes)
_DROPPED = object()


def to_plain(value: Any, path: str = '') -> Any:
    """Return ``value`` as CPU tensors, dicts, lists, tuples, numbers, strings and ``None``.

    Log histories become dicts of :data:`HISTORY_KEYS`; NumPy scalars Python numbers; arrays
    tensors; functions and classes inside a container are left out (a scheduler that keeps its
    annealing function makes it again when it is built).

    Args:
        value: What to convert; it is not changed.
        path: Where it stands, for error messages.

    Raises:
        CheckpointError: On an object that none of these can hold; names its key.
    """
    plain = _convert(value, path)
    return None if plain is _DROPPED else plain


def _convert(value: Any, path: str) -> Any:
    if isinstance(value, Tensor):
        return _own_tensor(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return _from_numpy(value, path)
    if isinstance(value, HistoryBuffer):
        return _from_history(value)
    if isinstance(value, Mapping):
        return _without_dropped({_key(k): _convert(v, f'{path}.{k}') for k, v in value.items()})
    if isinstance(value, (list, tuple, set, frozenset)):
        return _sequence(value, path)
    return _leaf(value, path)


def _own_tensor(value: Tensor) -> Tensor:
    """Return a CPU tensor that stores its own numbers only; a view would store all of its base."""
    tensor = value.detach().cpu()
    tensor = tensor.as_subclass(Tensor) if type(tensor) is not Tensor else tensor
    is_view = tensor.untyped_storage().nbytes() > tensor.numel() * tensor.element_size()
    return tensor.clone() if is_view else tensor


def _from_numpy(value: np.ndarray | np.generic, path: str) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    try:
        return torch.from_numpy(np.array(value))
    except TypeError:
        return _convert(value.tolist(), path)


def _from_history(buffer: HistoryBuffer) -> dict[str, Any]:
    log, count = buffer.data
    return {
        'log': torch.as_tensor(np.array(log, dtype=np.float64)),
        'count': torch.as_tensor(np.array(count, dtype=np.float64)),
        'max_length': int(buffer.max_length),
    }


def _sequence(value: Any, path: str) -> Any:
    items = [_convert(item, f'{path}[{index}]') for index, item in enumerate(value)]
    kept = [item for item in items if item is not _DROPPED]
    return tuple(kept) if isinstance(value, tuple) else kept


def _leaf(value: Any, path: str) -> Any:
    if value is None or type(value) in _SCALARS or isinstance(value, torch.dtype):
        return value
    for kind in _SCALARS:
        if isinstance(value, kind):  # type: ignore[arg-type]
            return kind(value)
    if isinstance(value, (Path, torch.device)):
        return str(value)
    if callable(value):
        return _DROPPED
    raise CheckpointError(
        f'checkpoint key {path.lstrip(".")!r}: expected tensors and plain Python types, got '
        f'{type(value).__module__}.{type(value).__qualname__}; convert it before it is saved'
    )


def _key(key: Any) -> Any:
    return key.item() if isinstance(key, np.generic) else key


def _without_dropped(items: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in items.items() if value is not _DROPPED}


def restore_histories(scalars: Mapping[str, Any]) -> dict[str, HistoryBuffer]:
    """Rebuild the log histories that :func:`to_plain` took apart; others pass unchanged."""
    return {
        name: _to_history(value) if _is_history(value) else value for name, value in scalars.items()
    }


def _is_history(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == HISTORY_KEYS


def _to_history(value: Mapping[str, Any]) -> HistoryBuffer:
    counts = value['count'].long().tolist()
    return BoundedHistory(value['log'].tolist(), counts, max_length=value['max_length'])

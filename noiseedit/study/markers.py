"""Which parts of a study are finished: a file beside the results says for which settings.

Nothing is loaded and nothing runs to find out: the settings that a part would have now are
compared with those written when it began. Changes of the program's code do not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from noiseedit.errors import ConfigError
from noiseedit.files import atomic_file

State: TypeAlias = Literal['new', 'begun', 'done', 'other']


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings as text that changes with them; keys in order."""
    return json.dumps(settings, sort_keys=True, default=str, indent=1)


def state_of(marker: Path, settings: Mapping[str, Any], output: Path) -> State:
    """Return how far a part is.

    Args:
        marker: Its file.
        settings: Everything that its result depends on.
        output: A file that it makes.

    Returns:
        ``'new'``: there is no marker; ``'other'``: one of other settings; ``'begun'``; ``'done'``.
    """
    found = _read(marker)
    if found is None:
        return 'new'
    if settings_text(found['settings']) != settings_text(json.loads(settings_text(settings))):
        return 'other'
    return 'done' if found['done'] and output.exists() else 'begun'


def mark(marker: Path, settings: Mapping[str, Any], *, done: bool) -> None:
    """Write that a part with these settings has begun, or is done."""
    with atomic_file(marker) as temporary:
        temporary.write_text(settings_text({'done': done, 'settings': settings}))


def _read(marker: Path) -> dict[str, Any] | None:
    if not marker.is_file():
        return None
    try:
        found = json.loads(marker.read_text())
        return {'done': bool(found['done']), 'settings': dict(found['settings'])}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f'{marker}: no marker of a study ({error}); delete it and the results beside it'
        ) from error


def differences(marker: Path, settings: Mapping[str, Any], most: int = 3) -> str:
    """Return what differs between a marker and settings, as ``key: before -> now``."""
    found = (_read(marker) or {}).get('settings', {})
    before = dict(_flat(found))
    now = dict(_flat(json.loads(settings_text(settings))))
    keys = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    shown = [f'{key}: {before.get(key)!r} -> {now.get(key)!r}' for key in keys[:most]]
    return ', '.join(shown) + (f' and {len(keys) - most} more' if len(keys) > most else '')


def _flat(node: Any, path: str = '') -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _flat(value, f'{path}.{key}' if path else str(key))
    else:
        yield path, node

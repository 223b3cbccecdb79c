"""Every noise there is, in one line each."""

from __future__ import annotations

from noiseedit.noises import list_presets
from noiseedit.registry import NOISES


def noise_list() -> str:
    """Return the text of ``tools/noise.py list``: classes, then presets."""
    classes = {name: summary(NOISES.get(name)) for name in NOISES.names()}
    return f'Classes (type=...)\n{_table(classes)}\n\nPresets\n{_table(list_presets())}'


def summary(noise: type) -> str:
    """Return the first line of a class's docstring, without markup."""
    lines = (noise.__doc__ or '(no docstring)').strip().splitlines()
    return lines[0].replace('``', '')


def _table(rows: dict[str, str]) -> str:
    width = max(map(len, rows)) + 2
    return '\n'.join(f'  {name:<{width}}{text}' for name, text in rows.items())

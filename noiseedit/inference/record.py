"""What a folder of generated images was made with: a second run continues it, and no other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noiseedit.errors import ConfigError
from noiseedit.files import write_json
from noiseedit.version import __version__

RECORD = 'samples.json'
DECISIVE = ('sha256', 'ema', 'seed', 'class')
"""Entries that decide the images; a folder holds images of one set of them."""


def describe(
    config: str, checkpoint: Path, *, ema: str, seed: int, label: int | None = None
) -> dict[str, Any]:
    """Return what the images of a folder are made with.

    Args:
        config: As the user named it.
        checkpoint: The file; its content counts, not its place.
        ema: Which weights: ``'auto'``, ``'on'`` or ``'off'``.
        seed: Of the latents.
        label: Class of all images; None: any.
    """
    return {
        'noiseedit': __version__,
        'config': config,
        'checkpoint': str(checkpoint),
        'sha256': hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        'ema': ema,
        'seed': seed,
        'class': label,
    }


def open_folder(folder: Path, made_with: Mapping[str, Any]) -> None:
    """Make the folder, or make sure that its images are those that would be written.

    Raises:
        ConfigError: If it holds images made with anything else, or with nobody knows what.
    """
    file = folder / RECORD
    if not file.exists():
        if next(folder.glob('*.png'), None) is not None:
            raise ConfigError(f'{folder}: holds images but no {RECORD}; choose another --out')
        write_json(made_with, file)
        return
    try:
        before = json.loads(file.read_text())
    except ValueError as error:
        raise ConfigError(f'{file}: no JSON ({error}); choose another --out') from error
    differing = [name for name in DECISIVE if before.get(name) != made_with[name]]
    if differing:
        listed = ', '.join(f'{n} {before.get(n)} instead of {made_with[n]}' for n in differing)
        raise ConfigError(f'{folder}: holds images of another run ({listed}); choose another --out')


def close_folder(folder: Path, made_with: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    """Write down what was made, beside what was made before."""
    file = folder / RECORD
    before = json.loads(file.read_text())
    write_json({**before, **made_with, **results}, file)

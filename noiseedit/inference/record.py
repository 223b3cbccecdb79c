"""What a folder of images was made with: a second run continues it, and no other."""

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
RESTORED = 'restored.json'
INFORMATIVE = ('noiseedit', 'config', 'checkpoint')
"""Entries that do not decide the images; a folder holds images of one set of all others."""


def describe(
    config: str, checkpoint: Path, *, ema: str, seed: int, label: int | None = None
) -> dict[str, Any]:
    """Return what the generated images of a folder are made with.

    Args:
        config: As the user named it.
        checkpoint: The file; its content counts, not its place.
        ema: Which weights: ``'auto'``, ``'on'`` or ``'off'``.
        seed: Of the latents.
        label: Class of all images; None: any.
    """
    return made_with(config, checkpoint, ema=ema, seed=seed, **{'class': label})


def made_with(config: str, checkpoint: Path, **settings: Any) -> dict[str, Any]:
    """Return version, config, checkpoint and the settings that decide what images are.

    Args:
        config: As the user named it.
        checkpoint: The file; its content counts, not its place.
        settings: Numbers, text, lists; whatever JSON keeps.
    """
    return {
        'noiseedit': __version__,
        'config': config,
        'checkpoint': str(checkpoint),
        'sha256': hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        **settings,
    }


def open_folder(folder: Path, made_with: Mapping[str, Any], name: str = RECORD) -> None:
    """Make the folder, or make sure that its images are those that would be written.

    Args:
        folder: Where to.
        made_with: What they are made with.
        name: Of the record in the folder.

    Raises:
        ConfigError: If it holds images made with anything else, or with nobody knows what.
    """
    file = folder / name
    if not file.exists():
        if next(folder.rglob('*.png'), None) is not None:
            raise ConfigError(f'{folder}: holds images but no {name}; choose another --out')
        write_json(made_with, file)
        return
    try:
        before = json.loads(file.read_text())
    except ValueError as error:
        raise ConfigError(f'{file}: no JSON ({error}); choose another --out') from error
    decisive = [name for name in made_with if name not in INFORMATIVE]
    differing = [name for name in decisive if before.get(name) != made_with[name]]
    if differing:
        listed = ', '.join(f'{n} {before.get(n)} instead of {made_with[n]}' for n in differing)
        raise ConfigError(f'{folder}: holds images of another run ({listed}); choose another --out')


def close_folder(
    folder: Path, made_with: Mapping[str, Any], results: Mapping[str, Any], name: str = RECORD
) -> None:
    """Write down what was made, beside what was made before."""
    file = folder / name
    before = json.loads(file.read_text())
    write_json({**before, **made_with, **results}, file)

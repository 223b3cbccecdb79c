"""The noise-injected variant of a baseline: two lines of config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noiseedit.errors import ConfigError, UnknownNameError
from noiseedit.files import atomic_file
from noiseedit.theory import sigma_255

HEADER = (
    '# Gaussian noise injection, variance {variance} in {range} ({sigma:.4g}/255), '
    'by the {rule} rule.\n'
)
UNITS: dict[str, Any] = {'uint8': 255}


def write_config(advice: Mapping[str, Any], baseline: str | Path, out: str | Path) -> Path:
    """Write the config that trains ``baseline`` with the recommended noise.

    Args:
        advice: See :func:`noiseedit.advice.advise`.
        baseline: Config file, or name of a shipped one.
        out: The file (``.py``), or a folder that gets ``<baseline>_gaussian-v<variance>.py``.

    Returns:
        The file. It inherits ``baseline`` (of a shipped config by its name, else by the path from
        one file to the other), replaces its training noise and keeps its test noise.

    Raises:
        UnknownNameError: If there is no ``baseline``; lists the nearest shipped configs.
        ConfigError: If it does not load, is the file to be written, uses its noise as a
            measurement, or the recommended variance is 0.
    """
    from noiseedit.config import base_reference

    entry = next(rule for rule in advice['rules'] if rule['rule'] == advice['recommended'])
    variance, value_range = float(f'{entry["variance"]:.4g}'), advice['value_range']
    if not variance:
        raise ConfigError(f'{baseline}: the recommended variance is 0: train it as it is')
    config = load_baseline(baseline)
    file = _target(Path(out), Path(baseline).stem, variance)
    text = HEADER.format(
        variance=variance,
        range=value_range,
        sigma=sigma_255(variance, value_range),
        rule=entry['rule'],
    )
    text += (
        f'_base_ = [{base_reference(baseline, file)!r}]\n{_noise(config, variance, value_range)}\n'
    )
    with atomic_file(file) as temporary:
        temporary.write_text(text)
    load_baseline(file)
    return file


def load_baseline(name: str | Path) -> Mapping[str, Any]:
    """Return the config that is to get noise, loaded.

    Raises:
        UnknownNameError: If there is no such file; lists the nearest shipped configs.
        ConfigError: If it does not load, or describes no model.
    """
    from noiseedit.config import load_config

    try:
        config: Mapping[str, Any] = load_config(name)
    except UnknownNameError:
        raise
    except Exception as error:  # whatever is wrong in a file of Python text
        raise ConfigError(f'{name}: cannot be loaded: {type(error).__name__}: {error}') from error
    if config.get('model') is None:
        raise ConfigError(f'{name}: expected a config with a model')
    return config


def _target(out: Path, stem: str, variance: float) -> Path:
    return out if out.suffix == '.py' else out / f'{stem}_gaussian-v{variance:g}.py'


def _noise(config: Mapping[str, Any], variance: float, value_range: str) -> str:
    """Return the line ``noise = dict(...)``; what the baseline trains with is replaced."""
    unit = UNITS.get(value_range, value_range)
    spec = f"type='GaussianNoise', variance={variance:g}, unit={unit!r}"
    own = config.get('noise') or {}
    if own.get('where') == 'measurement':
        raise ConfigError(
            "noise.where='measurement': the baseline measures its own images with this noise; "
            'noise injection needs a baseline without it'
        )
    if own.get('train') is not None:
        return f'noise = dict(train=dict(_delete_=True, {spec}))'
    place = '' if own else "where='batch', target='source', "
    return f'noise = dict({place}train=dict({spec}))'

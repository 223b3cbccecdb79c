"""What is studied: models, noises, repetitions, metrics; read from a config file or made of parts.

A study file holds one dict::

    study = dict(
        models=[dict(name='pix2pix', baseline='pix2pix/x.py', injected='gaussian_v0.08')],
        sweep='gni_grid',
        repetitions=3,
    )

``injected`` is a recipe, or a noise (mixin of ``configs/_base_/noise`` or preset) for the baseline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from noiseedit.errors import ConfigError, UnknownNameError, nearest

VARIANTS = ('baseline', 'injected')
FOLDER = 'studies'


@dataclass(frozen=True)
class StudiedModel:
    """One model of a study, in both variants.

    Attributes:
        name: Of its folder and in tables; unique.
        baseline: Config file, or name of a shipped one.
        injected: Likewise, or the noise that the baseline is trained with.
        checkpoint: ``'baseline'`` or ``'injected'`` -> file of weights; a variant without one is
            trained.
        options: Overrides of this model alone, ``KEY=VALUE``.
        image: Sample key of its picture grids; None: that of the study.
    """

    name: str
    baseline: str
    injected: str
    checkpoint: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    image: str | None = None


@dataclass(frozen=True)
class Study:
    """A whole study.

    Attributes:
        models: At least one.
        sweep: Name or file of a sweep, or several whose noises are put together.
        repetitions: Independent draws of every noise (seeds).
        metrics: Specs that replace ``test_evaluator`` of every config; None: those of the configs.
        options: Overrides of every config, ``KEY=VALUE``.
        limit: Only so many test images; None: all.
        image: Sample key of the picture grids; None: the first image.
        seed: Base seed of all trainings; 0: those of the configs.
        short: Entries that replace those above when a short form is asked for.
    """

    models: Sequence[StudiedModel]
    sweep: str | Sequence[str]
    repetitions: int = 3
    metrics: Sequence[Mapping[str, Any]] | None = None
    options: Sequence[str] = ()
    limit: int | None = None
    image: str | None = None
    seed: int = 0
    short: Mapping[str, Any] = field(default_factory=dict)


def load_study(name: str | Path, changes: Mapping[str, Any] | None = None) -> Study:
    """Return the study in a file, or in ``configs/studies/<name>.py``.

    Args:
        name: The file or the name.
        changes: Entries that replace those of the file; see :func:`make_study`.

    Raises:
        UnknownNameError: If there is neither; lists the nearest names.
        ConfigError: If the file holds no ``study``, or one that :func:`make_study` refuses.
    """
    from mmengine.config import Config

    file = _study_file(name)
    config = Config.fromfile(str(file), lazy_import=False)
    if 'study' not in config:
        raise ConfigError(f'{file}: no key study; write study = dict(models=[...], sweep=...)')
    return make_study(config.study.to_dict(), changes, str(file))


def _study_file(name: str | Path) -> Path:
    from noiseedit.config import shipped_root

    root = shipped_root()
    for file in (Path(name), root / FOLDER / f'{name}.py', root / name, root.parent / name):
        if file.is_file():
            return file
    shipped = [path.stem for path in (root / FOLDER).glob('*.py')]
    near = ', '.join(nearest(str(name), shipped))
    raise UnknownNameError(f'study {str(name)!r}: no such file or name. Nearest: {near}')


def make_study(
    spec: Mapping[str, Any], changes: Mapping[str, Any] | None = None, where: str = 'study'
) -> Study:
    """Return the study that a dict describes.

    Args:
        spec: Attributes of :class:`Study`; models as dicts.
        changes: Entries that replace those of ``spec``; ``short=True`` takes those of its short
            form, ``options`` are added. What is None changes nothing.
        where: Names the origin in errors.

    Raises:
        ConfigError: On unknown or missing keys, equal names, or numbers out of range.
    """
    wanted = {key: value for key, value in (changes or {}).items() if value is not None}
    merged = {**spec, **(spec.get('short', {}) if wanted.pop('short', False) else {})}
    options = [*merged.get('options', ()), *wanted.pop('options', ())]
    merged |= {**wanted, 'options': options}
    _check_keys(merged, Study, where)
    models = [_model(entry, f'{where}: models[{i}]') for i, entry in enumerate(merged['models'])]
    study = Study(**{**merged, 'models': models})
    _check(study, where)
    return study


def _model(entry: Mapping[str, Any], where: str) -> StudiedModel:
    _check_keys(entry, StudiedModel, where)
    checkpoint = entry.get('checkpoint') or {}
    if not isinstance(checkpoint, Mapping) or set(checkpoint) - set(VARIANTS):
        raise ConfigError(
            f'{where}.checkpoint: expected dict(baseline=FILE, injected=FILE) or one of them, got '
            f'{checkpoint!r}'
        )
    return StudiedModel(**{**entry, 'checkpoint': checkpoint})


def _check_keys(entry: Mapping[str, Any], kind: type, where: str) -> None:
    known = [attribute.name for attribute in fields(kind)]
    for key in entry:
        if key not in known:
            raise ConfigError(f'{where}.{key}: unknown key; nearest: {nearest(key, known)[0]}')
    required = known[:2] if kind is Study else known[:3]
    missing = [key for key in required if not entry.get(key)]
    if missing:
        raise ConfigError(f'{where}: missing {", ".join(missing)}; expected {", ".join(required)}')


def _check(study: Study, where: str) -> None:
    names = [model.name for model in study.models]
    if len(set(names)) < len(names):
        raise ConfigError(f'{where}: models need a name each, got {", ".join(names)}')
    wrong = [name for name in names if Path(name).name != name or name in ('.', '..')]
    if wrong:
        raise ConfigError(f'{where}: a name is a folder, without slashes: {", ".join(wrong)}')
    for key in ('repetitions', 'limit'):
        value = getattr(study, key)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ConfigError(f'{where}.{key}: expected a whole number >= 1, got {value!r}')

"""Files that a study writes before it runs: its sweep, and configs of variants that have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from pprint import pformat
from typing import Any

from noiseedit.config import base_reference, config_path, load_config
from noiseedit.errors import ConfigError, UnknownNameError
from noiseedit.evaluation.sweep import axes_of, load_sweep
from noiseedit.files import atomic_file
from noiseedit.study.plan import StudiedModel, Study


def sweep_file(study: Study, work_dir: Path) -> tuple[str, dict[str, Any]]:
    """Write the sweep of a study; return the file and its content.

    Raises:
        UnknownNameError: If there is no sweep of that name.
        ConfigError: If two sweeps have a noise of one name, or they have other seeds.
    """
    names = [study.sweep] if isinstance(study.sweep, str) else list(study.sweep)
    sweeps = [load_sweep(name) for name in names]
    _check_seeds(names, sweeps)
    noises = [noise for sweep in sweeps for noise in sweep['noises']]
    whole = {**sweeps[0], 'noises': noises, 'repetitions': study.repetitions}
    axes_of(whole)
    file = work_dir / 'sweep.py'
    title = f'# {", ".join(names)}: {study.repetitions} draw(s) of every noise.'
    _write(file, f'{title}\nsweep = {_literal(whole)}\n')
    return str(file), whole


def _check_seeds(names: Sequence[str], sweeps: Sequence[Mapping[str, Any]]) -> None:
    """Refuse sweeps of different seeds: a study has one."""
    seeds = [sweep.get('seed', 0) for sweep in sweeps]
    if len(set(seeds)) > 1:
        found = ', '.join(f'{name} has {seed}' for name, seed in zip(names, seeds, strict=True))
        raise ConfigError(f'study: sweeps that are put together need one seed: {found}')


def variant_config(study: Study, model: StudiedModel, variant: str, work_dir: Path) -> str:
    """Return the config of a variant: that of the study, or one written for it.

    One is written where the injected variant is a noise, or the study has metrics of its own.

    Raises:
        UnknownNameError: If there is no such config, nor such a noise.
    """
    name = model.baseline if variant == 'baseline' else model.injected
    noise = None
    if variant == 'injected' and not _is_config(name):
        name, noise = model.baseline, model.injected
    config_path(name)
    if noise is None and study.metrics is None:
        return name
    file = work_dir / model.name / f'{variant}.py'
    lines = [f'_base_ = [{base_reference(name, file)!r}]']
    if noise is not None:
        lines.append(f'noise = {_literal(_injected(name, noise))}')
    if study.metrics is not None:
        lines.append(f'test_evaluator = {_literal([dict(metric) for metric in study.metrics])}')
    _write(file, '\n'.join(lines) + '\n')
    return str(file)


def _is_config(name: str) -> bool:
    """Tell a config from a noise; a name that ends in .py and is none is an error later on."""
    try:
        config_path(name)
    except UnknownNameError:
        return name.endswith('.py')
    return True


def _injected(baseline: str, noise: str) -> dict[str, Any]:
    """Return the ``noise`` of a config that trains ``baseline`` with another noise."""
    own = load_config(baseline).get('noise')
    chosen: Mapping[str, Any] = load_config(baseline, noise=noise).noise.to_dict()
    if chosen.get('train') is None:
        raise ConfigError(f'{noise}: holds no training noise')
    return {**({} if own is None else {'_delete_': True}), **chosen}


def _literal(value: Any) -> str:
    return pformat(value, width=100, sort_dicts=False)


def _write(file: Path, text: str) -> None:
    if file.is_file() and file.read_text() == text:
        return
    with atomic_file(file) as temporary:
        temporary.write_text(text)

"""The trainings and sweeps of a study, and running those that are not finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noiseedit.chain import Step, run_step, step_text, sweep_step, train_step
from noiseedit.config import load_config
from noiseedit.errors import CheckpointError, ConfigError
from noiseedit.study.files import sweep_file, variant_config
from noiseedit.study.markers import differences, mark, state_of
from noiseedit.study.plan import VARIANTS, StudiedModel, Study

LAST_CHECKPOINT = 'last_checkpoint'
TEST_KEYS = ('test_dataloader', 'test_evaluator', 'test_cfg')


@dataclass(frozen=True)
class Part:
    """One training or one sweep.

    Attributes:
        step: The command.
        folder: Its work folder.
        kind: ``'train'`` or ``'sweep'``.
        output: File of ``folder`` that is there when it is done.
        settings: Everything that its result depends on.
    """

    step: Step
    folder: Path
    kind: str
    output: str
    settings: Mapping[str, Any]

    @property
    def marker(self) -> Path:
        """The file that says for which settings the part is done."""
        return self.folder / f'study.{self.kind}.json'

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return state_of(self.marker, self.settings, self.folder / self.output) == 'done'


def folders_of(study: Study, work_dir: Path) -> dict[str, tuple[Path, Path]]:
    """Return the work folders of the baseline and of the injected variant of every model."""
    return {
        model.name: (work_dir / model.name / 'baseline', work_dir / model.name / 'injected')
        for model in study.models
    }


def parts_of(study: Study, work_dir: Path) -> list[Part]:
    """Return the parts in order: per model the trainings, then the sweeps.

    Writes the sweep and those configs that no file describes yet into ``work_dir``.

    Raises:
        ConfigError: If a config, noise, sweep or override cannot be used; before anything runs.
        CheckpointError: If a given checkpoint is missing.
    """
    sweep, cells = sweep_file(study, work_dir)
    parts: list[Part] = []
    for model in study.models:
        pairs = [_variant_parts(study, model, v, work_dir, (sweep, cells)) for v in VARIANTS]
        trainings = [training for training, _ in pairs if training is not None]
        parts += [*trainings, *(swept for _, swept in pairs)]
    return parts


def _variant_parts(
    study: Study,
    model: StudiedModel,
    variant: str,
    work_dir: Path,
    sweep: tuple[str, Mapping[str, Any]],
) -> tuple[Part | None, Part]:
    folder = work_dir / model.name / variant
    config = variant_config(study, model, variant, work_dir)
    options = [*study.options, *model.options]
    whole = _config_settings(config, options)
    trained = {'config': _without_test(whole), 'seed': study.seed}
    given = model.checkpoint.get(variant)
    training = None
    if given is None:
        step = train_step(config, folder, seed=study.seed, options=options)
        training = Part(step, folder, 'train', LAST_CHECKPOINT, trained)
    step = sweep_step(
        config, folder, sweep[0], checkpoint=given, limit=study.limit, options=options
    )
    weights = {} if given is None else {'checkpoint': _file_settings(given)}
    settings = {**trained, 'config': whole, **weights, 'sweep': sweep[1], 'limit': study.limit}
    return training, Part(step, folder, 'sweep', 'sweep.json', settings)


def _config_settings(config: str, options: Sequence[str]) -> dict[str, Any]:
    return dict(load_config(config, list(options)).to_dict())


def _without_test(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without what a training does not depend on: its test."""
    return {key: value for key, value in config.items() if key not in TEST_KEYS}


def _file_settings(path: str) -> dict[str, Any]:
    file = Path(path)
    if not file.is_file():
        raise CheckpointError(f'{path}: no such checkpoint')
    return {'path': str(file), 'bytes': file.stat().st_size, 'time': file.stat().st_mtime_ns}


def run_parts(parts: Sequence[Part]) -> None:
    """Run what is not finished; print every command, with a note where it was done before.

    Raises:
        ConfigError: If a folder holds a training of other settings, or a metric cannot be made.
        MissingWeightsError: If a metric lacks its weights: before hours of training.
        SystemExit: With the code of a command that failed.
    """
    for part in parts:
        _check_folder(part)
    _check_metrics([part for part in parts if part.kind == 'sweep' and not part.is_done])
    for number, part in enumerate(parts, 1):
        print(f'\n[{number}/{len(parts)}] {_text(part)}', flush=True)
        if not part.is_done:
            mark(part.marker, part.settings, done=False)
            run_step(part.step)
            mark(part.marker, part.settings, done=True)


def print_parts(parts: Sequence[Part]) -> None:
    """Print every command, with a note where it was done before."""
    for part in parts:
        print(_text(part))


def _text(part: Part) -> str:
    return step_text(part.step) + ('  # done before' if part.is_done else '')


def _check_metrics(sweeps: Sequence[Part]) -> None:
    """Make every metric once, as the sweeps will."""
    from noiseedit.registry import METRICS

    evaluators = [part.settings.get('config', {}).get('test_evaluator', []) for part in sweeps]
    specs = {repr(spec): spec for evaluator in evaluators for spec in evaluator}
    for spec in specs.values():
        METRICS.build(dict(spec))


def _check_folder(part: Part) -> None:
    """Refuse to continue a training of other settings; a sweep looks after itself."""
    if part.kind != 'train':
        return
    state = state_of(part.marker, part.settings, part.folder / part.output)
    advice = 'Choose another --work-dir, or delete the folder to train anew'
    if state == 'other':
        changed = differences(part.marker, part.settings)
        raise ConfigError(f'{part.folder}: was trained with other settings ({changed}). {advice}')
    if state == 'new' and (part.folder / LAST_CHECKPOINT).exists():
        raise ConfigError(
            f'{part.folder}: holds a training that no study began. {advice}; to use its weights '
            'give them as checkpoint=dict(baseline=FILE, injected=FILE)'
        )

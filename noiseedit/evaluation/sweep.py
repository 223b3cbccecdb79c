"""What a sweep runs: noises x levels x repetitions, as cells.

A sweep is ``dict(noises=[dict(preset='gni/gaussian', levels=[0, 0.04]), ...], repetitions=1,
seed=0)``; each noise is a spec of :func:`noiseedit.noises.build` plus ``levels`` (left out: once,
as the spec says) and ``label`` (left out: the noise's name). Draws do not depend on the level, so a
curve over levels is a paired comparison.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch

from noiseedit.errors import ConfigError, UnknownNameError, nearest
from noiseedit.noises import BaseNoise, build
from noiseedit.seeding import generator_for

CLEAN = 'clean'
KEYS = ('noises', 'repetitions', 'seed')


@dataclass(frozen=True)
class Axis:
    """One noise and the levels it is swept over.

    Attributes:
        label: Name in results; unique.
        noise: At the level of its spec.
        levels: In the unit of the spec; ``(None,)``: as the spec says.
        spec: What the user wrote, without levels and label.
    """

    label: str
    noise: BaseNoise
    levels: tuple[float | None, ...]
    spec: Mapping[str, Any]

    def at(self, level: float | None) -> BaseNoise:
        """Return the noise at ``level``."""
        return self.noise if level is None else self.noise.with_level(level)


@dataclass(frozen=True)
class Cell:
    """One pass over the images: a noise at a level, in one of several independent draws.

    Attributes:
        label: Of the axis, or ``'clean'``.
        level: In the unit of the spec; ``None``: as the spec says.
        repetition: Which draw.
        noise: What corrupts the images; ``None``: nothing does.
        identity: Text that changes with anything that changes the result.
    """

    label: str
    level: float | None
    repetition: int
    noise: BaseNoise | None
    identity: str

    @property
    def name(self) -> str:
        """Return a unique readable name that can be part of a path."""
        parts = [self.label.replace('/', '-')]
        parts += [] if self.level is None else [f'{self.level:g}']
        parts += [f'r{self.repetition}'] if self.repetition else []
        return '_'.join(parts)

    @property
    def is_clean(self) -> bool:
        """Whether the images are left as they are."""
        return self.noise is None


def load_sweep(name: str | Path) -> dict[str, Any]:
    """Return the sweep in a config file, or in ``configs/_base_/sweeps/<name>.py``.

    Raises:
        UnknownNameError: If there is neither; lists the nearest names.
        ConfigError: If the file holds no ``sweep``.
    """
    from mmengine.config import Config

    from noiseedit.config import shipped_root

    folder = shipped_root() / '_base_' / 'sweeps'
    for file in (Path(name), folder / f'{name}.py'):
        if file.is_file():
            config = Config.fromfile(str(file), lazy_import=False)
            if 'sweep' not in config:
                raise ConfigError(f'{file}: no key sweep; write sweep = dict(noises=[...])')
            return dict(config.sweep.to_dict())
    shipped = [path.stem for path in folder.glob('*.py')]
    near = ', '.join(nearest(str(name), shipped))
    raise UnknownNameError(f'sweep {str(name)!r}: no such file or name. Nearest: {near}')


def axes_of(sweep: Mapping[str, Any]) -> list[Axis]:
    """Return the axes of a sweep.

    Raises:
        ConfigError: On unknown keys, no noises, equal labels, or levels that a noise refuses.
    """
    for key in sweep:
        if key not in KEYS:
            raise ConfigError(f'sweep.{key}: unknown key; nearest: {", ".join(nearest(key, KEYS))}')
    axes = [_axis(dict(entry), index) for index, entry in enumerate(sweep.get('noises') or [])]
    labels = [axis.label for axis in axes]
    repeated = sorted({label for label in labels if labels.count(label) > 1 or label == CLEAN})
    if not axes or repeated:
        problem = f'repeated or reserved: {", ".join(repeated)}' if axes else 'the list is empty'
        raise ConfigError(
            f'sweep.noises: expected noises with a name each, {problem}; tell equal ones apart by '
            "label='...'"
        )
    return axes


def _axis(entry: dict[str, Any], index: int) -> Axis:
    levels, label = entry.pop('levels', None), entry.pop('label', None)
    noise = build(entry)
    if levels is not None and (not isinstance(levels, Sequence) or not levels):
        raise ConfigError(
            f'sweep.noises[{index}].levels: expected a list of numbers, got {levels!r}'
        )
    axis = Axis(label or noise.name, noise, tuple(levels or (None,)), entry)
    if len(set(axis.levels)) < len(axis.levels):
        raise ConfigError(f'sweep.noises[{index}].levels: {list(axis.levels)} repeats a level')
    for level in axis.levels:
        try:
            axis.at(level)
        except (ConfigError, ValueError) as error:
            raise ConfigError(f'sweep.noises[{index}].levels: {error}') from error
    return axis


def cells_of(axes: Sequence[Axis], repetitions: int = 1, seed: int = 0) -> list[Cell]:
    """Return every cell, the clean one first; a level that changes nothing is the clean cell.

    Raises:
        ConfigError: If ``repetitions`` is no positive whole number.
    """
    if not isinstance(repetitions, int) or repetitions < 1:
        raise ConfigError(f'sweep.repetitions: expected a whole number >= 1, got {repetitions!r}')
    cells = [Cell(CLEAN, None, 0, None, CLEAN)]
    for axis in axes:
        cells += _axis_cells(axis, repetitions, seed)
    return cells


def _axis_cells(axis: Axis, repetitions: int, seed: int) -> Iterator[Cell]:
    for level in axis.levels:
        noise = axis.at(level)
        if is_identity(noise, level):
            yield Cell(axis.label, level, 0, None, CLEAN)
            continue
        for repetition in range(repetitions):
            text = (axis.spec, axis.noise.name, repr(noise), level, repetition, seed)
            yield Cell(axis.label, level, repetition, noise, _digest(text))


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def is_identity(noise: BaseNoise, level: float | None = None) -> bool:
    """Tell whether ``noise`` is at level 0 and there leaves a test image as it is, bit for bit.

    A level above 0 is never the identity, however seldom it changes a pixel.

    Args:
        noise: At its level.
        level: The level as the sweep says it (a severity, say); ``None``: that of the noise.
    """
    if level is None and noise.level is not None:
        level = noise.level.high
    if level != 0:
        return False
    image = torch.rand((1, 3, 32, 32), generator=generator_for(0))
    try:
        return torch.equal(noise(image, generator=generator_for(0)), image)
    except (ValueError, RuntimeError):  # it wants other images: then it does something
        return False


def without_loader_noise(node: Any) -> Any:
    """Return a copy of a data loader's config whose ``NoiseSlot`` transforms do nothing.

    In a sweep the cells corrupt the images, not the pipeline.

    Raises:
        ConfigError: If an ``AddNoise`` adds noise of its own: the cells' noise would come on top.
    """
    if isinstance(node, Mapping):
        if node.get('type') == 'AddNoise' and node.get('noise') is not None:
            raise ConfigError(
                'sweep: the test pipeline adds noise by AddNoise, and every cell would add its own '
                "on top; take the step out, or write dict(type='NoiseSlot', ...), which a sweep "
                'empties'
            )
        if node.get('type') == 'NoiseSlot':
            return {'type': 'NoiseSlot'}
        return {key: without_loader_noise(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [without_loader_noise(value) for value in node]
    return node

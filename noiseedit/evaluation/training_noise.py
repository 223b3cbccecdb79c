"""What noise a model was trained with, as a sweep records it, and which noises are white."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from noiseedit.evaluation.statistics import plain
from noiseedit.noises import BaseNoise, GaussianNoise, LaplaceNoise, UniformNoise, build
from noiseedit.noises.level import UNIT_WIDTH

LAWS: dict[type[BaseNoise], str] = {
    GaussianNoise: 'gaussian',
    UniformNoise: 'uniform',
    LaplaceNoise: 'laplace',
}


def training_noise(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result says about the training that its config describes.

    Args:
        config: Bound config of a model.

    Returns:
        ``train_noise``: spec of the training noise, ``None``: there is none;
        ``train_variance_01``: its variance on the model's source, in squared [0, 1] units (0
        without noise, ``None`` where it is not additive, white and of one level).
    """
    found = list(_found(config))
    if not found:
        return {'train_noise': None, 'train_variance_01': 0.0}
    specs = [spec for spec, _ in found]
    if len(specs) > 1:
        return {
            'train_noise': plain({'type': 'Sequential', 'noises': specs}),
            'train_variance_01': None,
        }
    ((spec, target),) = found
    variance = white_variance(build(dict(spec))) if target == 'source' else None
    return {'train_noise': plain(spec), 'train_variance_01': variance}


def _found(config: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Yield spec and input of the top-level noise; else of the preprocessor, or of the pipeline.

    A measurement acts on no input.
    """
    preprocessor = (config.get('model') or {}).get('data_preprocessor') or {}
    for noise in (config.get('noise'), preprocessor.get('noise')):
        if noise and noise.get('train') is not None:
            measured = noise.get('where') == 'measurement'
            yield _named(noise['train']), None if measured else noise.get('target', 'source')
            return
    for step in _steps(config.get('train_dataloader')):
        yield _named(step['noise']), step.get('key', 'source')


def _named(spec: Any) -> dict[str, Any]:
    return {'preset': spec} if isinstance(spec, str) else dict(spec)


def _steps(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every transform that adds noise."""
    if isinstance(node, Mapping):
        if node.get('type') in ('AddNoise', 'NoiseSlot') and node.get('noise') is not None:
            yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from _steps(value)


def white_law(noise: BaseNoise) -> str | None:
    """Return ``'gaussian'``, ``'uniform'`` or ``'laplace'``; ``None``: not additive and white.

    One field for all channels is not white.
    """
    return None if getattr(noise, 'mono', False) else LAWS.get(type(noise))


def white_variance(noise: BaseNoise) -> float | None:
    """Return the variance of white additive noise of one level, in squared [0, 1] units.

    ``None``: the noise is of another kind, or its level is a range.
    """
    if white_law(noise) is None or noise.level is None or not noise.level.is_fixed:
        return None
    return level_variance(noise.level.name, noise.level.low, noise.level.unit)


def level_variance(name: str, level: float, unit: Any) -> float:
    """Return the variance that a level of white noise means, in squared [0, 1] units.

    Args:
        name: ``'variance'``, ``'sigma'``, or ``'amplitude'`` of uniform noise (variance a^2/3).
        level: The number, in ``unit`` (``'variance'``: in squared ``unit``).
        unit: 255, '[0,1]' or '[-1,1]'.
    """
    scaled = level / UNIT_WIDTH[unit] ** (2 if name == 'variance' else 1)
    return {'variance': scaled, 'sigma': scaled**2, 'amplitude': scaled**2 / 3}[name]

"""What noise a model was trained with, as a sweep records it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from noiseedit.files import plain
from noiseedit.noises import build
from noiseedit.noises.white import white_variance


def training_noise(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result says about the training that its config describes.

    Args:
        config: Bound config of a model.

    Returns:
        ``train_noise``: spec of the training noise, ``None``: there is none;
        ``train_variance_01``: its variance on the model's source, in squared [0, 1] units (0
        without noise, ``None`` where it is not additive, white and of one level). Training on
        generated pairs names their data set, of unknown variance.
    """
    scheme = config.get('scheme') or {}
    if scheme.get('where') == 'data':
        return {'train_noise': plain(dict(scheme)), 'train_variance_01': None}
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

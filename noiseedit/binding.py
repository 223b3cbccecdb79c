"""Put noise, label noise and training scheme of a config in place: the one place that knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config, ConfigDict

from noiseedit.errors import ConfigError, nearest

NOISE_KEYS = ('where', 'target', 'train', 'test', 'seed')
NOISE_PLACES = ('batch', 'pipeline', 'measurement')
LABEL_NOISE_KEYS = {'transition', 'seed', 'known'}
SCHEME_PLACES = ('model', 'data')
LOADERS = {'train_dataloader': 'train', 'val_dataloader': 'test', 'test_dataloader': 'test'}


def bind_scheme(config: Config) -> Config:
    """Put ``config.scheme`` where it works, before the noise; doing it twice changes nothing.

    ``scheme`` holds ``where`` and the config of a class. 'model': a training scheme, which becomes
    ``model.scheme``. 'data': a data set of noisy and clean images, which becomes that of training;
    it is read in the main process, and training adds no noise of its own.

    Raises:
        ConfigError: On another place, or without a class.
    """
    scheme = config.get('scheme')
    if scheme is None:
        return config
    if scheme.get('where') not in SCHEME_PLACES or 'type' not in scheme:
        raise ConfigError(
            f'scheme: expected where (one of {SCHEME_PLACES}) and type, got {dict(scheme)}; '
            'see configs/_base_/schemes'
        )
    chosen = ConfigDict({key: value for key, value in scheme.items() if key != 'where'})
    if scheme.where == 'model':
        config.model.scheme = chosen
        return config
    config.train_dataloader.dataset = chosen
    config.train_dataloader.update(num_workers=0, pin_memory=False)
    if config.get('noise'):
        config.noise.train = None
    return config


def bind_noise(config: Config) -> Config:
    """Put ``config.noise`` where it works; doing it twice changes nothing.

    ``noise`` holds ``where`` ('batch': the model's preprocessor adds it, on the model's device;
    'pipeline': every ``NoiseSlot`` transform adds it, on the CPU; 'measurement': the model gets
    ``train`` as its ``measurement``), ``target`` (which input: 'source', 'target' or 'real'),
    ``train`` and ``test`` (noise specs; a missing one means no noise then) and ``seed`` of the test
    noise. Every key ``data_noise`` of the model, however deep, becomes ``train``: parts of a model
    that must know what noise its data have.

    Raises:
        ConfigError: On unknown keys or places, or a spec that would not be used.
    """
    noise = config.get('noise')
    if noise is None:
        return config
    _check(noise)
    specs = {mode: noise[mode] for mode in ('train', 'test') if noise.get(mode) is not None}
    place = {'target': noise.get('target', 'source'), 'seed': noise.get('seed', 0)}
    where = noise.get('where', 'batch')
    if 'train' in specs:
        _tell_model(config.get('model', {}), specs['train'])
    if where == 'batch':
        config.model.setdefault('data_preprocessor', ConfigDict(type='EditPreprocessor'))
        config.model.data_preprocessor.noise = {**specs, **place}
    elif where == 'pipeline':
        _fill_slots(config, specs, **place)
    else:
        _set_measurement(config, specs)
    return config


def bind_label_noise(config: Config) -> Config:
    """Put ``config.label_noise`` where it works; doing it twice changes nothing.

    ``label_noise`` holds ``transition`` (see :mod:`noiseedit.noises.label_noise`), ``seed`` of the
    draws, and ``known``: whether the model is told the transition. Every ``NoisyLabel`` step of the
    training data gets the first two, the model its ``transition`` if it is known.

    Raises:
        ConfigError: On unknown keys, or if no step would use it.
    """
    noise = config.get('label_noise')
    if noise is None:
        return config
    if unknown := set(noise) - LABEL_NOISE_KEYS:
        raise ConfigError(f'label_noise: expected {LABEL_NOISE_KEYS}, got {sorted(unknown)}')
    steps = [p for p in _mappings(config.get('train_dataloader')) if p.get('type') == 'NoisyLabel']
    if not steps:
        raise ConfigError(
            "label_noise: the pipeline of train_dataloader holds no dict(type='NoisyLabel')"
        )
    for step in steps:
        step.update({key: noise[key] for key in ('transition', 'seed') if key in noise})
    if noise.get('known') or 'transition' in config.model:
        config.model.transition = noise.get('transition') if noise.get('known') else None
    return config


def _check(noise: Mapping[str, Any]) -> None:
    for key in noise:
        if key not in NOISE_KEYS:
            raise ConfigError(
                f'noise.{key}: unknown key; nearest: {", ".join(nearest(key, NOISE_KEYS))}'
            )
    if noise.get('where', 'batch') not in NOISE_PLACES:
        raise ConfigError(f'noise.where: expected one of {NOISE_PLACES}, got {noise["where"]!r}')


def _tell_model(node: Any, spec: Any) -> None:
    for part in _mappings(node):
        if 'data_noise' in part:
            part['data_noise'] = spec


def _set_measurement(config: Config, specs: Mapping[str, Any]) -> None:
    if set(specs) != {'train'}:
        raise ConfigError(
            "noise.where='measurement': expected noise.train alone (the model measures its own "
            f'images in training), got {", ".join(specs) or "nothing"}'
        )
    config.model.measurement = specs['train']


def _fill_slots(config: Config, specs: Mapping[str, Any], target: str, seed: int) -> None:
    """Fill the slots of every loader whose mode has a spec; test noise is the same every time."""
    for loader, mode in LOADERS.items():
        if mode not in specs or config.get(loader) is None:
            continue
        slots = [part for part in _mappings(config[loader]) if part.get('type') == 'NoiseSlot']
        if not slots:
            raise ConfigError(
                f"noise.where='pipeline': the pipeline of {loader} holds no "
                "dict(type='NoiseSlot'); put one where the noise belongs, after crops and flips"
            )
        own = {'seed': seed, 'fixed': True} if mode == 'test' else {}
        for slot in slots:
            slot.update(noise=specs[mode], key=target, **own)


def _mappings(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every dict of a config, however deep, in lists too."""
    if isinstance(node, Mapping):
        yield node  # type: ignore[misc]
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from _mappings(value)

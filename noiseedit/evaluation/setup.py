"""What the command line changes in a config before testing."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mmengine.config import Config, ConfigDict

from noiseedit.errors import ConfigError
from noiseedit.evaluation.sweep import without_loader_noise

Ema = Literal['auto', 'on', 'off']
EMA_HOOK = 'ModuleEMAHook'


def for_testing(
    config: Config, checkpoint: str, ema: Ema = 'auto', limit: int | None = None
) -> Config:
    """Return ``config`` set up to test ``checkpoint``; the argument is not changed.

    Args:
        config: Bound config.
        checkpoint: File of weights.
        ema: ``'on'``: with the moving average; ``'off'``: without; ``'auto'``: as the config says.
        limit: Only so many images; ``None``: all.

    Raises:
        ConfigError: If the config describes no test.
    """
    config = copy.deepcopy(config)
    missing = [
        key for key in ('test_dataloader', 'test_evaluator', 'test_cfg') if config.get(key) is None
    ]
    if missing:
        raise ConfigError(f'the config describes no test: {", ".join(missing)} missing')
    config.load_from, config.resume = str(checkpoint), False
    _choose_weights(config, ema)
    if limit is not None:
        whole = config.test_dataloader.dataset
        config.test_dataloader.dataset = ConfigDict(type='FirstImages', dataset=whole, count=limit)
    return config


def _choose_weights(config: Config, ema: Ema) -> None:
    if ema == 'auto':
        return
    hooks = list(_ema_hooks(config))
    for hook in hooks:
        hook['use_ema'] = ema == 'on'
    if ema == 'on' and not hooks:
        config.custom_hooks = [*config.get('custom_hooks', []), {'type': EMA_HOOK}]


def _ema_hooks(config: Config) -> Iterator[dict[str, Any]]:
    for hook in (*config.get('default_hooks', {}).values(), *config.get('custom_hooks', [])):
        if isinstance(hook, Mapping) and hook.get('type') == EMA_HOOK:
            yield hook  # type: ignore[misc]


def for_sweep(config: Config, sweep: Mapping[str, Any], save_images: str | None = None) -> Config:
    """Return ``config`` with the test replaced by a sweep; the argument is not changed.

    Noise of the test pipeline is taken out: the cells add it, to the input that ``noise.target``
    names.

    Args:
        config: What :func:`for_testing` returned.
        sweep: See :mod:`noiseedit.evaluation.sweep`.
        save_images: Folder for all predictions; ``None``: not written.

    Raises:
        ConfigError: If the test pipeline holds an ``AddNoise`` that is no ``NoiseSlot``.
    """
    config = copy.deepcopy(config)
    config.experiment_name = 'sweep'  # its log is not that of a test in the same process
    config.test_dataloader = ConfigDict(without_loader_noise(config.test_dataloader))
    target = (config.get('noise') or {}).get('target')
    config.test_cfg = ConfigDict(
        type='SweepTestLoop', sweep=sweep, save_images=save_images, target=target
    )
    return config

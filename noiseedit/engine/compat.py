"""The few repairs of MMEngine that no subclass can make; each applied only where it is needed."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NoReturn

import mmengine.config.config as config_module
import mmengine.model.utils
import mmengine.optim.optimizer.default_constructor as default_constructor
import mmengine.utils.dl_utils.misc as misc
import torch
from mmengine.logging import MessageHub
from mmengine.runner.checkpoint import CheckpointLoader
from yapf.yapflib import yapf_api

from noiseedit.engine.checkpoint import load_checkpoint
from noiseedit.engine.history import BoundedHistory
from noiseedit.errors import CheckpointError

REFUSED_SCHEMES = [  # as MMEngine spells them: patterns
    'torchvision://',
    'modelzoo://',
    'open-mmlab://',
    'openmmlab://',
    'mmcls://',
    'pavi://',
    r'(\S+\:)?s3://',
    r'(\S+\:)?petrel://',
]


def apply() -> None:
    """Apply every repair; doing it again changes nothing."""
    load_without_code()
    bound_histories()
    format_configs_once()
    if not hasattr(pkgutil, 'find_loader'):
        find_mmcv_on_new_python()


def load_without_code() -> None:
    """Let MMEngine's own loading (``init_cfg=dict(type='Pretrained', ...)``) run no code.

    Its loaders of files and stores rely on torch's default, which is unsafe before torch 2.6; those
    that download call ``torch.hub``, whose default is unsafe in every version. Files and plain URLs
    are read here instead; every other address is refused.
    """
    CheckpointLoader.register_scheme(prefixes='', loader=_load_file, force=True)
    CheckpointLoader.register_scheme(prefixes=['http://', 'https://'], loader=_load_url, force=True)
    CheckpointLoader.register_scheme(prefixes=REFUSED_SCHEMES, loader=_refuse, force=True)


def _load_file(filename: str, map_location: Any = 'cpu') -> Any:
    return load_checkpoint(filename, map_location=map_location or 'cpu')


def _load_url(filename: str, map_location: Any = None, progress: bool = True) -> Any:
    return torch.hub.load_state_dict_from_url(
        filename, map_location=map_location, progress=progress, weights_only=True
    )


def _refuse(filename: str, map_location: Any = None) -> NoReturn:
    raise CheckpointError(
        f'{filename}: addresses of this kind are not read, since their loader could run code that '
        'the file holds: download the file, then name its path'
    )


def bound_histories() -> None:
    """Log scalars into :class:`BoundedHistory`.

    MMEngine's history copies up to a million values at every step: the cost of an iteration grows
    with the iterations done.
    """
    MessageHub.update_scalar = _update_scalar


def _update_scalar(
    self: MessageHub, key: str, value: Any, count: int = 1, resumed: bool = True
) -> None:
    """Append ``value`` to the history of ``key``, which is saved in checkpoints if ``resumed``."""
    self._set_resumed_keys(key, resumed)
    history = self._log_scalars.get(key)
    if history is None:
        history = self._log_scalars[key] = BoundedHistory()
    history.update(self._get_valid_value(value), count)


def format_configs_once() -> None:
    """Remember the last formatted config.

    MMEngine formats the same text for the log, the work folder and every checkpoint, each time in
    a fair part of a second.
    """
    config_module.FormatCode = _format_code


def _format_code(text: str, **style: Any) -> tuple[str, bool]:
    return _formatted(text, tuple(sorted(style['style_config'].items())), style.get('verify'))


@lru_cache(maxsize=4)
def _formatted(
    text: str, style: tuple[tuple[str, Any], ...], verify: bool | None
) -> tuple[str, bool]:
    arguments = {} if verify is None else {'verify': verify}
    return yapf_api.FormatCode(text, style_config=dict(style), **arguments)


def find_mmcv_on_new_python() -> None:
    """Replace the test for compiled mmcv operators, which uses a function gone in Python 3.14."""
    for module in (misc, mmengine.model.utils, default_constructor):
        module.mmcv_full_available = mmcv_full_available


def mmcv_full_available() -> bool:
    """Return whether mmcv with compiled operators is installed."""
    return find_spec('mmcv') is not None and find_spec('mmcv._ext') is not None

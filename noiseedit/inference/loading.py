"""From a config and a checkpoint to a model that is ready to predict."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import torch
from mmengine.config import Config
from mmengine.device import get_device
from torch import Tensor

from noiseedit.config import load_config
from noiseedit.engine.checkpoint import latest_valid, load_checkpoint, weights_of
from noiseedit.engine.weights import load_weights, training_only
from noiseedit.errors import CheckpointError
from noiseedit.models import EditModel
from noiseedit.registry import MODELS

Ema = Literal['auto', 'on', 'off']


def load_model(
    config: str | Path | Config,
    checkpoint: str | Path,
    *,
    ema: Ema = 'auto',
    device: str | torch.device | None = None,
    trust: bool = False,
    needs: Collection[str] = (),
) -> EditModel:
    """Return the model of a config with the weights of a checkpoint, in evaluation mode.

    The checkpoint may lack networks that predictions do not need, such as a discriminator: those of
    :meth:`~noiseedit.models.base.EditModel.training_only`.

    Args:
        config: File, name of a shipped config, or a bound config.
        checkpoint: File, or a work folder: its newest complete one.
        ema: ``'auto'``: with the moving average if the checkpoint holds one; ``'on'``: it must;
            ``'off'``: plain weights.
        device: ``None``: a GPU if there is one.
        trust: Read a checkpoint that holds code; only for files of a trusted source.
        needs: Networks that it must hold nevertheless, if the model has them.

    Raises:
        CheckpointError: If the checkpoint is missing, damaged or of another model, or holds no
            average and ``ema='on'``.
        UnknownNameError: If there is no such config.
    """
    loaded = config if isinstance(config, Config) else load_config(config)
    weights = read_weights(checkpoint, ema=ema, trust=trust)
    with torch.random.fork_rng(devices=[]):  # initial weights draw from the global stream
        model: EditModel = MODELS.build(loaded.model)
    optional = training_only(model) - set(needs)
    load_weights(model, weights, optional=optional)
    return model.to(device or get_device()).eval()


def read_weights(
    checkpoint: str | Path, *, ema: Ema = 'auto', trust: bool = False
) -> dict[str, Tensor]:
    """Return the weights of a checkpoint by name; arguments as in :func:`load_model`.

    Raises:
        CheckpointError: If it is missing or damaged, or holds no average and ``ema='on'``.
    """
    stored = load_checkpoint(find_checkpoint(checkpoint, trust), trust)
    averaged = ema == 'on' or (ema == 'auto' and 'ema_state_dict' in stored)
    return weights_of(stored, ema=averaged)


def find_checkpoint(path: str | Path, trust: bool = False) -> Path:
    """Return ``path``, or of a folder its newest complete checkpoint.

    Raises:
        CheckpointError: If the folder has none.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    found = latest_valid(path, trust)
    if found is None:
        raise CheckpointError(f'{path}: no checkpoint in this folder')
    return found

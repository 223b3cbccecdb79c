"""Data loaders: seeds for the data set, the sampler and every worker; one thread per worker."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from torch.utils.data import DataLoader

from noiseedit.registry import FUNCTIONS
from noiseedit.seeding import derive_seed


@FUNCTIONS.register_module()
def init_worker(worker_id: int, seed: int, rank: int) -> None:
    """Prepare a worker process: one thread, and hashed global seeds.

    Nothing in noiseedit draws from these; the seeds are for transforms of other packages.
    """
    torch.set_num_threads(1)
    try:
        import cv2
    except ImportError:
        pass
    else:
        cv2.setNumThreads(0)
    own = derive_seed(seed, 'data', 'worker', rank, worker_id)
    torch.manual_seed(own)
    random.seed(own)
    np.random.seed(own % 2**32)


def build_loader(
    config: Mapping[str, Any], seed: int, build: Callable[..., DataLoader]
) -> DataLoader:
    """Build a loader from its config with MMEngine's ``build`` and seed it.

    A data set that declares its own ``seed`` in the config keeps it. Settings for workers are
    dropped when there are none.
    """
    settings = dict(config)
    settings.setdefault('num_workers', 0)
    settings['collate_fn'] = _function(settings.get('collate_fn', {'type': 'edit_collate'}))
    settings.setdefault('pin_memory', torch.cuda.is_available())
    settings.setdefault('sampler', {'type': 'CounterSampler', 'shuffle': False})
    if not settings['num_workers']:
        settings.pop('persistent_workers', None)
        settings.pop('prefetch_factor', None)
    loader = build(settings, seed=seed)
    keeps_seed = isinstance(config['dataset'], Mapping) and 'seed' in config['dataset']
    seed_loader(loader, seed, dataset=not keeps_seed)
    return loader


def _function(config: Any) -> Any:
    """Return ``config`` with the function itself in place of its name."""
    if isinstance(config, Mapping) and isinstance(config['type'], str):
        return {**config, 'type': FUNCTIONS.get(config['type'])}
    return config


def seed_loader(loader: DataLoader, seed: int, dataset: bool = True) -> None:
    """Give ``seed`` to the data set (if ``dataset``), the sampler and the workers to come."""
    parts = (loader.dataset, loader.sampler) if dataset else (loader.sampler,)
    for part in parts:
        if hasattr(part, 'seed'):
            part.seed = seed
    loader.worker_init_fn = partial(init_worker, seed=seed, rank=get_rank())

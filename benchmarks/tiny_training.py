"""One tiny model and loader under three drivers: a bare loop, our runner, MMEngine's runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from noiseedit.config import shipped_root
from noiseedit.engine import build_runner
from noiseedit.engine.loops import endless_batches
from noiseedit.engine.sampler import CounterSampler
from noiseedit.registry import DATASETS, MODELS

LENGTH = 10_000
HOOKS = {
    'logger': {'type': 'LoggerHook', 'interval': 50, 'interval_exp_name': 10**9},
    'checkpoint': None,
}
Step = Callable[[], None]


@DATASETS.register_module()
class TinyImages(Dataset):
    """Constant images, so that only the driver costs time."""

    metainfo: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.image = torch.full((1, 8, 8), 0.5)

    def __len__(self) -> int:
        return LENGTH

    def __getitem__(self, position: int) -> Tensor:
        return self.image


@MODELS.register_module()
class TinyModel(BaseModel):
    """One convolution; two loss terms, as a small restoration model logs."""

    def __init__(self) -> None:
        super().__init__(BaseDataPreprocessor())
        self.generator = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, inputs: Tensor, mode: str = 'loss') -> dict[str, Tensor]:
        """Return the losses."""
        error = self.generator(inputs) - inputs
        return {'loss_l1': error.abs().mean(), 'loss_l2': error.square().mean()}

    def train_step(self, data: Tensor, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train one step."""
        with optim_wrapper.optim_context(self):
            losses = self(self.data_preprocessor(data, training=True))
        loss, logs = self.parse_losses(losses)
        optim_wrapper.update_params(loss)
        return logs


def bare() -> Step:
    """Return a function that fetches a batch and trains on it."""
    data, model = TinyImages(), TinyModel()
    sampler = CounterSampler(data, infinite=True)
    batches = endless_batches(DataLoader(data, 2, sampler=sampler), 0)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))

    def step() -> None:
        model.train_step(next(batches), wrapper)

    return step


def ours(folder: Path) -> Step:
    """Return a function that runs one iteration of a built and started noiseedit runner."""
    runtime = Config.fromfile(shipped_root() / '_base_' / 'default_runtime.py', lazy_import=False)
    runtime.merge_from_dict({'default_hooks': HOOKS, 'log_level': 'ERROR'})
    runner = build_runner(Config({**runtime.to_dict(), **_training(folder, 'CounterSampler')}))
    batches = endless_batches(_started(runner).dataloader, 0)
    return lambda: runner.train_loop.run_iter(next(batches))


def stock(folder: Path) -> Step:
    """Return a function that runs one iteration of MMEngine's runner and loop."""
    settings = _training(folder, 'InfiniteSampler')
    settings['train_cfg'] = {'type': 'IterBasedTrainLoop', 'max_iters': 10**9}
    runner = Runner.from_cfg(
        Config(
            {
                **settings,
                'default_scope': 'noiseedit',
                'log_level': 'ERROR',
                'log_processor': {'by_epoch': False},
                'default_hooks': HOOKS,
            }
        )
    )
    iterator = _started(runner).dataloader_iterator
    return lambda: runner.train_loop.run_iter(next(iterator))


def _training(folder: Path, sampler: str) -> dict[str, Any]:
    return {
        'work_dir': str(folder),
        'model': {'type': 'TinyModel'},
        'train_dataloader': {
            'dataset': {'type': 'TinyImages'},
            'sampler': {'type': sampler},
            'batch_size': 2,
            'num_workers': 0,
            'collate_fn': {'type': 'default_collate'},
        },
        'train_cfg': {'type': 'IterTrainLoop', 'max_iters': 10**9},
        'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.01}},
        'experiment_name': folder.name,
    }


def _started(runner: Runner) -> Any:
    """Do what ``Runner.train`` does before its first iteration; return the loop."""
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    for stage in ('before_run', 'before_train', 'before_train_epoch'):
        runner.call_hook(stage)
    runner.model.train()
    return runner.train_loop

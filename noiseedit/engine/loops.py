"""The training loop: resumes at once, never sleeps, restarts finite loaders without a gap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.runner import BaseLoop, IterBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from noiseedit.engine.sampler import CounterSampler
from noiseedit.errors import ConfigError, DataError
from noiseedit.registry import LOOPS


@LOOPS.register_module()
class IterTrainLoop(IterBasedTrainLoop):
    """Train for ``max_iters`` batches.

    The loader's iterator is made when training begins, after a resume has set the iteration; a
    ``CounterSampler`` then jumps to its place without loading what was already seen.

    Args:
        runner: The runner.
        dataloader: Loader or its config.
        max_iters: Batches to train on (micro-batches, when gradients are accumulated).
        val_interval: Validate after every so many iterations, and at the end.
        val_begin: First iteration that may validate.

    Raises:
        ConfigError: If ``max_iters`` or ``val_interval`` is no positive whole number.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | Mapping[str, Any],
        max_iters: int,
        val_interval: int = 1000,
        val_begin: int = 1,
    ) -> None:
        BaseLoop.__init__(self, runner, dataloader)  # the parent's starts workers at once
        for name, value in (('max_iters', max_iters), ('val_interval', val_interval)):
            if int(value) != value or value < 1:
                raise ConfigError(f'train_cfg.{name}: expected a positive integer, got {value!r}')
        self._max_iters, self._max_epochs = int(max_iters), 1
        self._epoch = self._iter = 0
        self.val_interval, self.val_begin = int(val_interval), val_begin
        self.stop_training = False
        self.runner.visualizer.dataset_meta = getattr(self.dataloader.dataset, 'metainfo', None)
        if isinstance(self.dataloader.sampler, CounterSampler):
            self.dataloader.sampler.infinite = True

    def run(self) -> nn.Module:
        """Train to the end; return the model."""
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        batches = endless_batches(self.dataloader, self._iter)
        try:
            self._train(batches)
        finally:
            batches.close()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _train(self, batches: Iterator[Any]) -> None:
        self.runner.model.train()
        while self._iter < self._max_iters and not self.stop_training:
            self.run_iter(next(batches))
            if self._validates():
                self.runner.val_loop.run()
                self.runner.model.train()

    def _validates(self) -> bool:
        if self.runner._val_loop is None or self._iter < self.val_begin:
            return False
        return self._iter % self.val_interval == 0 or self._iter == self._max_iters


def endless_batches(loader: DataLoader, done: int) -> Any:
    """Yield batches for ever, beginning after the first ``done``.

    Raises:
        DataError: If one pass over the loader gives nothing.
    """
    passes = _skip(loader, done)
    while True:
        _set_epoch(loader, passes)
        empty = True
        for batch in loader:
            empty = False
            yield batch
        if empty:
            raise DataError(
                f'{type(loader.dataset).__name__}: {len(loader.dataset)} samples give no batch of '
                f'{loader.batch_size}; lower batch_size or set drop_last=False'
            )
        passes += 1


def _skip(loader: DataLoader, done: int) -> int:
    """Move a skipping sampler past ``done`` batches; return the finite passes already over."""
    if not done:
        return 0
    if isinstance(loader.sampler, CounterSampler) and loader.batch_size:
        if loader.sampler.infinite:
            loader.sampler.skip(done * loader.batch_size)
            return 0
        loader.sampler.skip(done % len(loader) * loader.batch_size)
    elif done % len(loader):
        raise ConfigError(
            f'train_dataloader.sampler: {type(loader.sampler).__name__} cannot resume in the '
            "middle of a pass; use dict(type='CounterSampler', shuffle=True)"
        )
    return done // len(loader)


def _set_epoch(loader: DataLoader, passes: int) -> None:
    if hasattr(loader.sampler, 'set_epoch'):
        loader.sampler.set_epoch(passes)

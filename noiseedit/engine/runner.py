"""The runner: MMEngine's, with safe checkpoints, exact resume and a readable console."""

from __future__ import annotations

import copy
import platform
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_distributed, master_only
from mmengine.model import is_model_wrapper, revert_sync_batchnorm
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from noiseedit.engine import compat, resume
from noiseedit.engine.checkpoint import (
    latest_valid,
    load_checkpoint,
    save_checkpoint,
    weights_of,
)
from noiseedit.engine.distributed import init_processes, wrap_model
from noiseedit.engine.loaders import build_loader
from noiseedit.engine.tracking import check_trackers
from noiseedit.engine.weights import load_weights, plain_state_dict, training_only
from noiseedit.errors import ConfigError
from noiseedit.registry import RUNNERS
from noiseedit.version import __version__

compat.apply()

LOCAL_LOG = {'type': 'Visualizer', 'vis_backends': [{'type': 'LocalVisBackend'}]}


@RUNNERS.register_module()
class NoiseRunner(Runner):
    """Train, validate and test what a config describes.

    Differences from MMEngine's runner: checkpoints hold plain types, appear complete or not at all
    and are read without running code; weights load strictly; resuming is exact to the bit and falls
    back to the last complete file; every rank, worker and iteration has its own seed; several
    processes work on CPUs too.

    Args:
        kwargs: Those of ``Runner``. ``randomness`` has seed 0 by default; ``load_strict=False`` in
            the config lets ``load_from`` take only the weights that fit.
    """

    trust_checkpoint = False
    """Set by ``--trust-checkpoint`` alone, never by a config: read files that hold code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        randomness = dict(kwargs.get('randomness') or {})
        if randomness.get('seed') is None:
            randomness['seed'] = 0
        kwargs['randomness'] = randomness
        if kwargs.get('default_scope') in (None, 'mmengine'):  # MMEngine's default: none chosen
            kwargs['default_scope'] = 'noiseedit'
        kwargs['visualizer'] = kwargs.get('visualizer') or copy.deepcopy(LOCAL_LOG)
        check_trackers(kwargs['visualizer'])
        self._has_loaded = self._is_test = False
        super().__init__(*args, **kwargs)

    # Environment.

    def setup_env(self, env_cfg: Mapping[str, Any]) -> None:
        """Join the other processes (gloo without GPUs), then let MMEngine do the rest."""
        if self.distributed and not is_distributed():
            init_processes(self.launcher, **env_cfg.get('dist_cfg', {}))
        super().setup_env(env_cfg)

    def _log_env(self, env_cfg: Mapping[str, Any]) -> None:
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
        self.logger.info(
            f'noiseedit {__version__}, torch {torch.__version__}, mmengine {mmengine.__version__}, '
            f'Python {platform.python_version()}; {get_device()} ({device}), '
            f'{self.world_size} process(es), seed {self.seed}'
        )
        self.logger.info(f'results: {self.work_dir}')

    def get_hooks_info(self) -> str:
        """Return the hooks' names in order."""
        return ', '.join(type(hook).__name__ for hook in self.hooks)

    def wrap_model(
        self, model_wrapper_cfg: Mapping[str, Any] | None, model: nn.Module
    ) -> nn.Module:
        """Move the model to its device; with several processes, average its gradients."""
        if is_model_wrapper(model):
            return model
        model = model.to(get_device())
        if self.distributed:
            return wrap_model(model, model_wrapper_cfg)
        has_sync_bn = any(isinstance(m, nn.SyncBatchNorm) for m in model.modules())
        return revert_sync_batchnorm(model) if has_sync_bn else model

    # Building.

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | Mapping[str, Any],
        seed: int | None = None,
        diff_rank_seed: bool = False,
    ) -> DataLoader:
        """Build a loader whose data set, sampler and workers are seeded from ``seed``."""
        if isinstance(dataloader, DataLoader):
            return dataloader
        return build_loader(dataloader, seed or 0, Runner.build_dataloader)

    def build_train_loop(self, loop: BaseLoop | Mapping[str, Any]) -> BaseLoop:
        """Build the training loop; ``by_epoch=False`` means ``IterTrainLoop``."""
        if isinstance(loop, Mapping) and loop.get('by_epoch') is False:
            rest = {key: value for key, value in loop.items() if key != 'by_epoch'}
            loop = {'type': 'IterTrainLoop', **rest}
        return super().build_train_loop(loop)

    # Running.

    def train(self) -> nn.Module:
        """Train; return the model. Files that the noises need are looked for first."""
        for part in self.model.modules():
            if hasattr(part, 'check_noise_files'):
                part.check_noise_files()
        with self._tidy_failure():
            model = super().train()
        self.logger.info(f'results: {self.work_dir}')
        return model

    def val(self) -> dict[str, Any]:
        """Validate; return the metrics."""
        with self._tidy_failure():
            return super().val()

    def test(self) -> dict[str, Any]:
        """Test; return the metrics. The checkpoint may lack networks that only training needs."""
        self._is_test = True
        with self._tidy_failure():
            return super().test()

    @contextmanager
    def _tidy_failure(self) -> Iterator[None]:
        """Let hooks undo what they changed for the moment, when anything fails."""
        try:
            yield
        except BaseException:
            self.call_hook('after_failure')
            raise

    # Checkpoints.

    def load_or_resume(self) -> None:
        """Load or resume once, as the config says.

        ``resume='auto'`` continues from the newest complete checkpoint of the work folder; if
        there is none, training starts anew, from the weights of ``load_from`` if given.
        """
        if self._has_loaded:
            return
        source = self._resume_source()
        if source is not None:
            self.resume(str(source))
        elif self._load_from is not None:
            self.load_checkpoint(self._load_from, strict=self.cfg.get('load_strict', True))
        self._has_loaded = True

    def _resume_source(self) -> Path | None:
        """Return what to continue: ``load_from``, or the newest if that is absent or 'auto'."""
        if not self._resume:
            return None
        if self._load_from is not None and self._resume != 'auto':
            return Path(self._load_from)
        return self._newest()

    def _newest(self) -> Path | None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            newest = latest_valid(self.work_dir, self.trust_checkpoint)
        for warning in caught:
            self.logger.warning(str(warning.message))
        if newest is None:
            self.logger.info(f'nothing to resume in {self.work_dir}: training starts anew')
        return newest

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable[..., Any] = 'cpu',
        strict: bool = True,
        revise_keys: Any = None,
    ) -> dict[str, Any]:
        """Load the weights of a file into the model.

        Raises:
            CheckpointError: If the file is missing, damaged or holds code, or does not fit.
        """
        checkpoint = load_checkpoint(filename, self.trust_checkpoint, map_location)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        optional = training_only(self.model) if self._is_test else ()
        report = load_weights(self.model, weights_of(checkpoint), strict, optional=optional)
        if report:
            self.logger.warning(f'{filename}: only the weights that fit were loaded\n{report}')
        self._has_loaded = True
        self.logger.info(f'weights loaded from {filename}')
        return checkpoint

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable[..., Any] = 'cpu',
    ) -> None:
        """Continue the run that ``filename`` belongs to, exactly.

        Raises:
            CheckpointError: If the file cannot be read or belongs to another model or set-up.
        """
        checkpoint = self.load_checkpoint(filename, map_location, strict=True)
        resume.check_same_run(self, checkpoint)
        resume.restore_training(self, checkpoint, resume_optimizer, resume_param_scheduler)
        self.logger.info(f'resumed at iteration {self.iter} from {filename}')

    @master_only
    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: Any = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: Mapping[str, Any] | None = None,
        by_epoch: bool = True,
        backend_args: Any = None,
    ) -> None:
        """Write a checkpoint of plain types, complete or not at all.

        Raises:
            CheckpointError: If it cannot be written; older files are intact.
        """
        here = {'epoch': self.epoch + by_epoch, 'iter': self.iter + (not by_epoch)}
        checkpoint: dict[str, Any] = {
            'meta': {**here, **(meta or {}), **self._meta()},
            'state_dict': plain_state_dict(self.model),
            'message_hub': self.message_hub.state_dict(),
        }
        if save_optimizer:
            checkpoint['optimizer'] = self.optim_wrapper.state_dict()
        if save_param_scheduler and self.param_schedulers is not None:
            checkpoint['param_schedulers'] = resume.scheduler_states(self.param_schedulers)
        if state := resume.training_state(self.model):
            checkpoint['training_state'] = state
        self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        save_checkpoint(checkpoint, Path(out_dir) / filename)

    def _meta(self) -> dict[str, Any]:
        return {
            'cfg': self.cfg.pretty_text,
            'seed': self.seed,
            'max_iters': self.max_iters,
            'world_size': self.world_size,
            'batch_size': self.train_dataloader.batch_size,
            'experiment_name': self.experiment_name,
            'time': time.strftime('%Y-%m-%dT%H:%M:%S'),
            'noiseedit_version': __version__,
            'mmengine_version': mmengine.__version__,
            'torch_version': torch.__version__,
            'dataset_meta': getattr(self.train_dataloader.dataset, 'metainfo', None),
        }


def build_runner(config: Config, trust_checkpoint: bool = False) -> NoiseRunner:
    """Build the runner of ``config``.

    Args:
        config: Bound config, see :func:`noiseedit.config.load_config`.
        trust_checkpoint: Read checkpoints that hold code.

    Raises:
        ConfigError: If ``config.runner_type`` is no runner with safe checkpoints.
    """
    kind = RUNNERS.get(config.get('runner_type', 'NoiseRunner'))
    if not issubclass(kind, NoiseRunner):
        raise ConfigError(f'runner_type: expected NoiseRunner or a subclass, got {kind.__name__}')
    runner = kind.from_cfg(config)
    runner.trust_checkpoint = trust_checkpoint
    return runner

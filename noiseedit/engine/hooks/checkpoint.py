"""When to save and what to keep: a new file is complete before an old one goes."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process, master_only
from mmengine.hooks import CheckpointHook as StockCheckpointHook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from noiseedit.engine.checkpoint import (
    LAST_CHECKPOINT,
    load_checkpoint,
    remove_leftovers,
    save_checkpoint,
    write_atomically,
)
from noiseedit.engine.distributed import sync_buffers
from noiseedit.errors import ConfigError, nearest
from noiseedit.registry import HOOKS


@HOOKS.register_module()
class CheckpointHook(StockCheckpointHook):
    """MMEngine's hook of that name, with a safe order and names that survive a move.

    A new checkpoint is on the disk before ``last_checkpoint`` names it and before an older one is
    deleted. Names are relative to the work folder. A save that falls between accumulated steps
    happens at the end of the accumulation.

    Args:
        interval: Save every so many iterations; -1: only at the end.
        by_epoch: Count epochs instead (for MMEngine's epoch loop).
        kwargs: Those of MMEngine's hook, e.g. ``max_keep_ckpts`` (-1: all) and ``save_best``, a
            metric name or several, protocol included: ``'PSNR(rgb,uint8,border=0)'``.

    Raises:
        ConfigError: If whether more or less of a ``save_best`` metric is better is not known.
    """

    _default_greater_keys = (
        *StockCheckpointHook._default_greater_keys,
        *('psnr', 'ssim', 'fsim', 'nlda', 'recall', 'density', 'coverage'),
    )
    _default_less_keys = (
        *('loss', 'mse', 'mae', 'lpips', 'dists', 'niqe', 'noiselevel', 'swd'),
        *('akld', 'kld', 'ks('),
        *('fid', 'kid', 'frechetdistance', 'kerneldistance'),
    )
    out_dir: str | None

    def __init__(self, interval: int = -1, by_epoch: bool = False, **kwargs: Any) -> None:
        try:
            super().__init__(interval=interval, by_epoch=by_epoch, **kwargs)
        except (ValueError, KeyError) as error:
            raise ConfigError(f"CheckpointHook: {error} (rule='greater' or rule='less')") from error
        self._due = False
        self.keep_ckpt_ids: deque[int] = deque()

    def before_train(self, runner: Runner) -> None:
        """Prepare the folder; remove what a killed process left half written."""
        work_dir = Path(runner.work_dir)
        folder = Path(self.out_dir) / work_dir.name if self.out_dir else work_dir
        folder.mkdir(parents=True, exist_ok=True)
        self.out_dir = str(folder)
        self.keep_ckpt_ids = deque(runner.message_hub.get_info('keep_ckpt_ids') or [])
        if is_main_process():
            remove_leftovers(folder)

    def after_train(self, runner: Runner) -> None:
        """Publish the last and the best files, if ``published_keys`` asks for it."""
        info = runner.message_hub.runtime_info
        names = [name for key, name in info.items() if key.startswith(('last_ckpt', 'best_ckpt'))]
        for name in names if self.published_keys else []:
            self._publish_model(runner, name)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Save when it is due and no gradient is being accumulated; and at the end."""
        if self.by_epoch:
            return
        last = self.save_last and self.is_last_train_iter(runner)
        self._due |= self.every_n_train_iters(runner, self.interval, self.save_begin) or last
        if self._due and (last or _gradients_applied(runner.optim_wrapper)):
            self._due = False
            self._save_checkpoint(runner)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        name = self.filename_tmpl.format(step)
        outdated = self._keep(runner, step)
        runner.message_hub.update_info('last_ckpt', name)
        sync_buffers(runner.model)
        runner.save_checkpoint(
            str(self.out_dir),
            name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
        )
        self.last_ckpt = name
        if is_main_process():
            self._point_to(runner, name)
            for old in outdated:
                self._file(self.filename_tmpl.format(old)).unlink(missing_ok=True)

    def _keep(self, runner: Runner, step: int) -> list[int]:
        """Note ``step`` as kept; return the steps to delete once it is written."""
        if self.max_keep_ckpts <= 0:
            return []
        steps: list[int] = [kept for kept in self.keep_ckpt_ids if kept != step] + [step]
        self.keep_ckpt_ids = deque(steps[-self.max_keep_ckpts :])
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        return steps[: -self.max_keep_ckpts]

    def _point_to(self, runner: Runner, name: str) -> None:
        pointer = Path(runner.work_dir) / LAST_CHECKPOINT
        file = self._file(name)
        inside = file.is_relative_to(pointer.parent)
        text = str(file.relative_to(pointer.parent) if inside else file)
        write_atomically(pointer, lambda temporary: temporary.write_text(text))

    def _file(self, name: str) -> Path:
        return Path(str(self.out_dir)) / name

    def _save_best_checkpoint(self, runner: Runner, metrics: Mapping[str, Any]) -> None:
        if not self.save_best:
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        improved = [
            self._save_if_better(runner, metrics, key, rule)
            for key, rule in zip(self.key_indicators, self.rules, strict=True)
        ]
        step = runner.epoch if self.by_epoch else runner.iter
        if any(improved) and self.last_ckpt == self.filename_tmpl.format(step):
            # the file of this very step was written before the score was known
            self._save_checkpoint_with_step(runner, step, _place(runner))

    def _save_if_better(
        self, runner: Runner, metrics: Mapping[str, Any], key: str, rule: str
    ) -> bool:
        if key not in metrics:
            raise ConfigError(
                f'CheckpointHook.save_best: no metric {key!r}; nearest of those computed: '
                f'{", ".join(nearest(key, metrics))}'
            )
        info = runner.message_hub.runtime_info
        suffix = '' if len(self.key_indicators) == 1 else f'_{key}'
        score = float(metrics[key])
        best = info.get(f'best_score{suffix}', self.init_value_map[rule])
        if not self.rule_map[rule](score, best):
            return False
        self._replace_best(runner, key, score, suffix)
        return True

    def _replace_best(self, runner: Runner, key: str, score: float, suffix: str) -> None:
        step = runner.epoch if self.by_epoch else runner.iter
        name = f'best_{file_name_of(key)}_{self.filename_tmpl.format(step)}'
        previous = runner.message_hub.runtime_info.get(f'best_ckpt{suffix}')
        runner.message_hub.update_info(f'best_score{suffix}', score)
        runner.message_hub.update_info(f'best_ckpt{suffix}', name)
        runner.save_checkpoint(
            str(self.out_dir),
            name,
            save_optimizer=False,
            save_param_scheduler=False,
            meta=_place(runner),
            by_epoch=False,
        )
        if is_main_process() and previous and previous != name:
            self._file(previous).unlink(missing_ok=True)
        runner.logger.info(f'best {key} so far: {score:.4f}, saved as {name}')

    @master_only
    def _publish_model(self, runner: Runner, ckpt_path: str) -> None:
        source = self._file(ckpt_path)
        checkpoint = load_checkpoint(source)
        kept = {key: checkpoint[key] for key in self.published_keys if key in checkpoint}
        save_checkpoint(kept, source.with_name(f'{source.stem}_published.pth'))


def _place(runner: Runner) -> dict[str, int]:
    return {'epoch': runner.epoch, 'iter': runner.iter}


def _gradients_applied(optim_wrapper: OptimWrapper) -> bool:
    several = isinstance(optim_wrapper, OptimWrapperDict)
    wrappers = optim_wrapper.values() if several else [optim_wrapper]
    return all(wrapper.should_update() for wrapper in wrappers)


def file_name_of(metric: str) -> str:
    """Return ``metric`` fit for a file name: ``'PSNR(rgb,border=0)'`` -> ``'PSNR_rgb_border0'``."""
    return re.sub(r'[^\w.+-]+', '_', metric.replace('=', '')).strip('_')

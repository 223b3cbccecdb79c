"""Stop at the first NaN or infinite loss, and never save broken weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from noiseedit.errors import TrainingDivergedError
from noiseedit.registry import HOOKS

ADVICE = (
    'Lower the learning rate, clip gradients (optim_wrapper.clip_grad=dict(max_norm=1.0)), '
    'or train in bf16 instead of fp16'
)


@HOOKS.register_module()
class NaNGuardHook(Hook):
    """Check every loss term of every iteration with one transfer from the device.

    The terms are stacked, copied to the host once, and handed on as Python numbers, so that
    logging them costs no further synchronisation. Before a checkpoint is written its weights are
    checked too: the last file on disk is always a good one.

    Raises (in training):
        TrainingDivergedError: Names the term, the iteration, the batch and the last checkpoint.
    """

    priority = 5  # before every hook that reads or logs losses, and before saving

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: MutableMapping[str, Any] | None = None,
    ) -> None:
        """Check the losses of this iteration."""
        if not isinstance(outputs, MutableMapping):
            return
        outputs.update(_to_numbers(outputs))
        broken = {k: v for k, v in outputs.items() if isinstance(v, float) and not math.isfinite(v)}
        if broken:
            terms = ', '.join(f'{name} = {value}' for name, value in broken.items())
            raise TrainingDivergedError(
                f'iteration {runner.iter + 1}: {terms}. All terms: {_terms(outputs)}. '
                f'Batch: {_keys(data_batch)}. {_last_good(runner)} {ADVICE}'
            )

    def before_save_checkpoint(self, runner: Runner, checkpoint: Mapping[str, Any]) -> None:
        """Refuse to save weights that are not finite."""
        for name, tensor in checkpoint['state_dict'].items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise TrainingDivergedError(
                    f'iteration {runner.iter + 1}: the weights {name} are not finite, '
                    f'no checkpoint is written. {_last_good(runner)} {ADVICE}'
                )


def _to_numbers(outputs: Mapping[str, Any]) -> dict[str, float]:
    """Return the scalar tensors of ``outputs`` as floats, through one copy to the host."""
    scalars = {n: v for n, v in outputs.items() if isinstance(v, Tensor) and v.numel() == 1}
    if all(value.is_cpu for value in scalars.values()):
        return {name: value.item() for name, value in scalars.items()}
    return dict(zip(scalars, _copy_together(scalars.values()), strict=True))


def _copy_together(scalars: Iterable[Tensor]) -> list[float]:
    return torch.stack([scalar.detach().reshape(()).float() for scalar in scalars]).tolist()


def _terms(outputs: Mapping[str, Any]) -> str:
    return ', '.join(f'{k}={v:.4g}' for k, v in outputs.items() if isinstance(v, (int, float)))


def _keys(data_batch: Any) -> str:
    samples = data_batch.get('data_samples') if isinstance(data_batch, Mapping) else None
    keys = [str(getattr(sample, 'key', '?')) for sample in samples or []]
    return ', '.join(keys[:8]) + (f' and {len(keys) - 8} more' if len(keys) > 8 else '') or '?'


def _last_good(runner: Runner) -> str:
    last = runner.message_hub.runtime_info.get('last_ckpt')
    where = f'{runner.work_dir}/{last}' if last else None
    return f'Last good checkpoint: {where}.' if where else 'No checkpoint was saved yet.'

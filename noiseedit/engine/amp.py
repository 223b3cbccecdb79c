"""Mixed precision on any device: bfloat16 without loss scaling, float16 with it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.registry import OPTIM_WRAPPERS

DTYPES = {
    'bf16': torch.bfloat16,
    'fp16': torch.float16,
    'bfloat16': torch.bfloat16,
    'float16': torch.float16,
}
STOCK_TYPES = ('OptimWrapper', 'AmpOptimWrapper')


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(OptimWrapper):
    """Forward in low precision, weights and updates in float32.

    Unlike MMEngine's class of that name it runs on a CPU too and does not scale in bfloat16, whose
    range is that of float32.

    Args:
        dtype: ``'bf16'`` or ``'fp16'`` (or torch's long names).
        loss_scale: fp16 only: ``'dynamic'``, or a fixed scale.
        kwargs: Those of ``OptimWrapper``: optimizer, accumulative_counts, clip_grad.

    Raises:
        ConfigError: On another dtype.
    """

    def __init__(
        self, dtype: str = 'bf16', loss_scale: str | float = 'dynamic', **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if dtype not in DTYPES:
            raise ConfigError(f'optim_wrapper.dtype: expected {", ".join(DTYPES)}, got {dtype!r}')
        self.cast_dtype = DTYPES[dtype]
        self.device_type = torch.device(get_device()).type
        self._fixed_scale = None if loss_scale == 'dynamic' else float(loss_scale)
        self.loss_scaler = torch.amp.GradScaler(
            self.device_type,
            init_scale=self._fixed_scale or 2.0**16,
            enabled=self.cast_dtype is torch.float16,
        )

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Backpropagate the scaled loss."""
        self.loss_scaler.scale(loss).backward(**kwargs)
        self._inner_count += 1

    def step(self, **kwargs: Any) -> None:
        """Undo the scaling, clip, and step unless a gradient overflowed."""
        self.loss_scaler.unscale_(self.optimizer)
        if self.clip_grad_kwargs:
            self._clip_grad()
        self.loss_scaler.step(self.optimizer, **kwargs)
        self.loss_scaler.update(self._fixed_scale)

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state and the loss scale."""
        return {**super().state_dict(), 'loss_scaler': self.loss_scaler.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore both; a state without a scale (float32 or bf16 so far) keeps the initial one."""
        state = dict(state_dict)
        scale = state.pop('loss_scaler', None)
        if scale and self.loss_scaler.is_enabled():
            self.loss_scaler.load_state_dict(scale)
        super().load_state_dict(state)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in low precision; backward belongs outside."""
        autocast = torch.autocast(self.device_type, dtype=self.cast_dtype)
        with super().optim_context(model), autocast:
            yield


def enable_amp(optim_wrapper: MutableMapping[str, Any], dtype: str) -> None:
    """Turn every optimiser of a config into its mixed-precision form, in place.

    Args:
        optim_wrapper: ``config.optim_wrapper``, with one optimiser or several by name.
        dtype: ``'bf16'`` or ``'fp16'``.

    Raises:
        ConfigError: If an optimiser has a wrapper type that has no such form.
    """
    named = [part for part in optim_wrapper.values() if isinstance(part, MutableMapping)]
    several = [part for part in named if 'optimizer' in part]
    for part in [optim_wrapper] if 'optimizer' in optim_wrapper else several:
        kind = part.get('type', 'OptimWrapper')
        if kind not in STOCK_TYPES:
            raise ConfigError(f'--amp: expected an optim_wrapper of {STOCK_TYPES}, got {kind!r}')
        part.update(type='AmpOptimWrapper', dtype=dtype)

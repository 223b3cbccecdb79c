"""An exponential moving average of chosen networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from noiseedit.engine.weights import unwrapped
from noiseedit.errors import CheckpointError, ConfigError, nearest
from noiseedit.registry import HOOKS


@HOOKS.register_module()
class ModuleEMAHook(Hook):
    """Keep ``s <- decay * s + (1 - decay) * w`` in float32 for the weights of some networks.

    The checkpoint's ``state_dict`` stays the plain weights; the average is saved beside it as
    ``ema_state_dict`` under the same names. Validation and test run with the average if
    ``use_ema``; the plain weights come back bit for bit, also when validation fails.

    Args:
        modules: Child networks of the model.
        decay: Weight of the past, in [0, 1).
        start_iter: Until then the average is a copy.
        update_buffers: ``'copy'`` running statistics as they are, or ``'average'`` them too.
        use_ema: Evaluate with the average.

    Raises:
        ConfigError: On a decay or rule out of range, or a network that the model does not have.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        modules: Sequence[str] = ('generator',),
        decay: float = 0.999,
        start_iter: int = 0,
        update_buffers: str = 'copy',
        use_ema: bool = True,
    ) -> None:
        if not 0 <= decay < 1:
            raise ConfigError(f'ModuleEMAHook.decay: expected [0, 1), got {decay}')
        if update_buffers not in ('copy', 'average'):
            raise ConfigError(
                "ModuleEMAHook.update_buffers: expected 'copy' or 'average', "
                f'got {update_buffers!r}'
            )
        self.modules, self.decay, self.start_iter = tuple(modules), decay, start_iter
        self.update_buffers, self.use_ema = update_buffers, use_ema
        self.shadow: dict[str, Tensor] = {}
        self._plain: dict[str, Tensor] | None = None

    def before_train(self, runner: Runner) -> None:
        """Start from the weights, unless a checkpoint brought the average."""
        live = self._live(runner)
        if not self.shadow:
            self.shadow = {name: _copy(tensor) for name, tensor in live.items()}
        averaged = {name for name in live if self._is_averaged(name)}
        self._averaged = self._pairs(live, averaged)
        self._copied = self._pairs(live, live.keys() - averaged)

    def _is_averaged(self, name: str) -> bool:
        rule = name in self._trained or self.update_buffers == 'average'
        return rule and self.shadow[name].is_floating_point()

    def _pairs(self, live: dict[str, Tensor], names: Set[str]) -> tuple[list[Tensor], list[Tensor]]:
        return [self.shadow[name] for name in names], [live[name] for name in names]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Undo a swap that a failed evaluation left behind."""
        self.after_failure(runner)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Update the average."""
        past, present = self._averaged
        if past and runner.iter >= self.start_iter:
            torch._foreach_lerp_(past, [tensor.float() for tensor in present], 1 - self.decay)
        elif past:
            torch._foreach_copy_(past, present)
        if self._copied[0]:
            torch._foreach_copy_(*self._copied)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Save the average under plain names."""
        checkpoint['ema_state_dict'] = dict(self.shadow)

    def after_load_checkpoint(self, runner: Runner, checkpoint: Mapping[str, Any]) -> None:
        """Take the average from a checkpoint; without one, the weights themselves."""
        saved = checkpoint.get('ema_state_dict')
        if saved is None:
            runner.logger.warning('the checkpoint holds no moving average: it starts anew')
            self.shadow = {}
            return
        live = self._live(runner)
        differing = sorted(set(live) ^ set(saved))
        if differing:
            raise CheckpointError(f'moving average of other weights: {", ".join(differing[:8])}')
        self.shadow = {n: _copy(saved[n]).to(live[n].device) for n in live}

    def before_val_epoch(self, runner: Runner) -> None:
        """Evaluate with the average."""
        self._swap_in(runner)

    before_test_epoch = before_val_epoch

    def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Bring the plain weights back."""
        self.after_failure(runner)

    after_test_epoch = after_val_epoch

    def after_failure(self, runner: Runner) -> None:
        """Bring the plain weights back if they are away."""
        if self._plain is not None:
            for name, tensor in self._live(runner).items():
                tensor.copy_(self._plain[name])
            self._plain = None

    def _swap_in(self, runner: Runner) -> None:
        if not (self.use_ema and self.shadow) or self._plain is not None:
            return
        live = self._live(runner)
        self._plain = {name: tensor.clone() for name, tensor in live.items()}
        for name, tensor in live.items():
            tensor.copy_(self.shadow[name])

    def _live(self, runner: Runner) -> dict[str, Tensor]:
        """Return the tensors of the networks, detached but not copied, by their full name."""
        live: dict[str, Tensor] = {}
        self._trained: set[str] = set()
        with unwrapped(runner.model) as model:
            for module in self.modules:
                network = _network(model, module)
                live |= {f'{module}.{n}': t for n, t in network.state_dict().items()}
                self._trained |= {f'{module}.{n}' for n, _ in network.named_parameters()}
        return live


@contextmanager
def averaged_weights(runner: Runner) -> Iterator[None]:
    """Give the model its moving averages meanwhile, if the run keeps any for evaluation."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, ModuleEMAHook)]
    try:
        for hook in hooks:
            hook.before_val_epoch(runner)
        yield
    finally:
        for hook in hooks:
            hook.after_failure(runner)


def _network(model: torch.nn.Module, name: str) -> torch.nn.Module:
    children = dict(model.named_children())
    if name not in children:
        raise ConfigError(
            f'ModuleEMAHook.modules: {type(model).__name__} has no network {name!r}; '
            f'nearest: {", ".join(nearest(name, children))}'
        )
    return children[name]


def _copy(tensor: Tensor) -> Tensor:
    copy = tensor.detach().clone()
    return copy.float() if copy.is_floating_point() else copy

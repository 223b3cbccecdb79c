"""Give every training iteration its own seed, derived from (seed, rank, iteration)."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from noiseedit.registry import HOOKS
from noiseedit.seeding import derive_seed


@HOOKS.register_module()
class IterSeedHook(Hook):
    """Seed the iteration's noise, latents and dropout; no random state needs to be saved.

    The preprocessor's and the model's ``seed_iteration`` get seeds of the stream ``model``. The
    global generator is seeded for ``nn.Dropout``, which takes no generator.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Find what wants seeds."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        parts = {'latent': model, 'noise': getattr(model, 'data_preprocessor', None)}
        self.parts = {n: part for n, part in parts.items() if hasattr(part, 'seed_iteration')}

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed everything that draws in the coming iteration."""
        place = (get_rank(), runner.iter)
        seed_global(derive_seed(runner.seed, 'model', *place, 'global'))
        for name, part in self.parts.items():
            part.seed_iteration(derive_seed(runner.seed, 'model', *place, name))


def seed_global(seed: int) -> None:
    """Seed the global generators of the CPU and of the GPU in use.

    ``torch.manual_seed`` would do, but without a GPU it queues a call, with its stack trace, for
    the day that one is initialised: slow, and ever more memory.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(seed)

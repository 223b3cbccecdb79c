"""Pictures of what a generator of images makes of the same few latents as training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from noiseedit.engine.hooks.ema import averaged_weights
from noiseedit.engine.weights import unwrapped
from noiseedit.errors import ConfigError
from noiseedit.imaging import write_image
from noiseedit.registry import HOOKS
from noiseedit.seeding import derive_seed, generator_for


@HOOKS.register_module()
class GeneratedGridHook(Hook):
    """Write ``work_dir/samples/iter_<n>.png``: a column per latent, a row per kind of picture.

    The model's ``pictures(n, generator)`` gives the rows, name -> (n, C, H, W) in [0, 1]; for
    NR-GAN clean images, their noise around mid-grey, and the sum. Latents and noise draws are the
    same every time; weights are the moving average where there is one. The newest picture also goes
    to the trackers.

    Args:
        interval: Iterations between pictures.
        count: Latents.

    Raises:
        ConfigError: If either is not positive, or the model has no ``pictures``.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000, count: int = 8) -> None:
        if interval < 1 or count < 1:
            raise ConfigError(f'GeneratedGridHook: interval={interval}, count={count} must be >= 1')
        self.interval, self.count = interval, count

    def before_train(self, runner: Runner) -> None:
        """Check the model at once, not after the first interval."""
        with unwrapped(runner.model) as model:
            if not hasattr(model, 'pictures'):
                raise ConfigError(
                    f'GeneratedGridHook: {type(model).__name__} has no pictures(n, generator); '
                    'SampleGridHook shows models that translate images'
                )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Draw and write the picture when it is due."""
        if not self.every_n_train_iters(runner, self.interval) or not is_main_process():
            return
        step = runner.iter + 1
        grid = picture_grid(self._pictures(runner))
        write_image(Path(runner.work_dir) / 'samples' / f'iter_{step:07d}.png', grid)
        runner.visualizer.add_image('samples', (grid * 255).round().astype(np.uint8), step)

    def _pictures(self, runner: Runner) -> Mapping[str, Tensor]:
        seed = derive_seed(runner.seed, 'eval', 'samples')
        with averaged_weights(runner), unwrapped(runner.model) as model, torch.no_grad():
            model.eval()
            device = model.data_preprocessor.device
            pictures = model.pictures(self.count, generator_for(seed, device))
            model.train()
        return pictures


def picture_grid(pictures: Mapping[str, Tensor]) -> np.ndarray:
    """Return (H, W, 3) float32 in [0, 1]: a row per kind, a column per sample.

    Args:
        pictures: Name -> (n, C, H, W), equal shapes, C 1 or 3.
    """
    from torchvision.utils import make_grid

    rows = torch.cat([images.float().clamp(0, 1).cpu() for images in pictures.values()])
    count = len(next(iter(pictures.values())))
    grid = make_grid(rows.nan_to_num(), nrow=count, padding=2, pad_value=1.0)
    return grid.permute(1, 2, 0).contiguous().numpy()

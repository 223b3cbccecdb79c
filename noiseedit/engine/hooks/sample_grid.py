"""Pictures of how the same few images come out as training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from noiseedit.errors import ConfigError
from noiseedit.registry import HOOKS
from noiseedit.structures import EditSample

COLUMNS = ('input', 'pred', 'gt')
GAP = 4  # pixels between pictures


@HOOKS.register_module()
class SampleGridHook(Hook):
    """Write ``work_dir/samples/iter_<n>.png``: a row per image, columns input, prediction, truth.

    The images are the first of the validation set, or of the training set if there is none; their
    noise is the same every time. The newest picture also goes to the trackers.

    Args:
        interval: Iterations between pictures.
        count: Images.

    Raises:
        ConfigError: If either is not positive.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000, count: int = 4) -> None:
        if interval < 1 or count < 1:
            raise ConfigError(f'SampleGridHook: interval={interval}, count={count} must be >= 1')
        self.interval, self.count = interval, count
        self._batch: Any = None

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Draw and write the picture when it is due."""
        if not self.every_n_train_iters(runner, self.interval) or not is_main_process():
            return
        if self._batch is None:
            self._batch = first_items(_loader(runner), self.count)
        runner.model.eval()
        with torch.no_grad():
            samples = runner.model.val_step(self._batch)
        runner.model.train()
        step = runner.iter + 1
        grid = sample_grid(samples)
        _write(Path(runner.work_dir) / 'samples' / f'iter_{step:07d}.png', grid)
        runner.visualizer.add_image('samples', (grid * 255).round().astype(np.uint8), step)


def _loader(runner: Runner) -> DataLoader:
    return runner.train_dataloader if runner._val_loop is None else runner.val_dataloader


def first_items(loader: DataLoader, count: int) -> Any:
    """Return the first items of the loader's data set as one batch; the workers are not used."""
    items = [loader.dataset[index] for index in range(min(count, len(loader.dataset)))]
    return loader.collate_fn(items)


def sample_grid(samples: Sequence[EditSample]) -> np.ndarray:
    """Return (H, W, 3) float32 in [0, 1]: a row per sample, its pictures side by side."""
    rows = [_row(sample) for sample in samples]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, GAP), (0, width - row.shape[1]), (0, 0))) for row in rows]
    return np.concatenate(padded)[:-GAP]


def _row(sample: EditSample) -> np.ndarray:
    images = [_picture(sample.get(name)) for name in COLUMNS if name in sample]
    height = max(image.shape[0] for image in images)
    padded = [np.pad(i, ((0, height - i.shape[0]), (0, GAP), (0, 0))) for i in images]
    return np.concatenate(padded, axis=1)[:, :-GAP]


def _picture(image: Tensor) -> np.ndarray:
    array = image.detach().float().clamp(0, 1).cpu().numpy().transpose(1, 2, 0)
    return array if array.shape[2] == 3 else np.repeat(array[:, :, :1], 3, axis=2)


def _write(path: Path, grid: np.ndarray) -> None:
    from noiseedit.imaging import write_image

    write_image(path, np.nan_to_num(grid))

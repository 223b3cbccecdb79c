"""Pictures of what a model made, beside what it saw and should have made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from noiseedit.structures import EditSample

KINDS = ('input', 'pred', 'gt')


def image_file(folder: Path, key: str, kind: str | None = None) -> Path:
    """Return the PNG of sample ``key``; of one of its images if ``kind`` is given."""
    safe = key.replace('\\', '/').strip('/').replace('..', '_')
    return folder / (f'{safe}.png' if kind is None else f'{safe}_{kind}.png')


def save_pred(sample: EditSample, folder: Path) -> None:
    """Write ``pred`` as 8-bit PNG under the sample's key."""
    _write(sample.pred, image_file(folder, sample.key))


def save_all(sample: EditSample, folder: Path) -> None:
    """Write those of input, prediction and target that the sample has, as 8-bit PNG."""
    for kind in KINDS:
        if kind in sample:
            _write(sample.get(kind), image_file(folder, sample.key, kind))


def _write(image: Tensor, path: Path) -> None:
    from noiseedit.imaging import write_image

    array = image.detach().float().nan_to_num(0.0).clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    write_image(path, array)


class SaveImagesHook(Hook):
    """Write every prediction of a test as PNG.

    Args:
        folder: Where to; files are named after the samples' keys.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[EditSample] | None = None,
    ) -> None:
        """Write the predictions of a batch."""
        for sample in outputs or ():
            save_pred(sample, self.folder)

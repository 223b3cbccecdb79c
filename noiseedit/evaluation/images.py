"""Pictures of what a model made, beside what it saw and should have made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.evaluation.saving import Saving, to_uint8
from noiseedit.structures import EditSample

KINDS = ('input', 'pred', 'gt')


def image_file(folder: Path, key: str, kind: str | None = None) -> Path:
    """Return the PNG of sample ``key``; of one of its images if ``kind`` is given."""
    safe = key.replace('\\', '/').strip('/').replace('..', '_')
    return folder / (f'{safe}.png' if kind is None else f'{safe}_{kind}.png')


def save_pred(sample: EditSample, folder: Path, saving: Saving = 'round') -> None:
    """Write ``pred`` under the sample's key: 8-bit PNG, or JPEG if ``saving`` says so."""
    file = image_file(folder, sample.key)
    _write(sample.pred, file.with_name(f'{file.stem}.jpg') if saving == 'jpeg' else file, saving)


def save_all(sample: EditSample, folder: Path) -> None:
    """Write those of input, prediction and target that the sample has, as 8-bit PNG."""
    for kind in KINDS:
        if kind in sample:
            _write(sample.get(kind), image_file(folder, sample.key, kind))


def _write(image: Tensor, path: Path, saving: Saving = 'round') -> None:
    from noiseedit.imaging import write_image

    pixels = image.detach().float().nan_to_num(0.0)
    write_image(path, to_uint8(pixels, 'round' if saving == 'jpeg' else saving))


class SaveImagesHook(Hook):
    """Write every prediction of a test as PNG.

    Args:
        folder: Where to; files are named after the samples' keys.
        saving: How values become 8-bit, see :mod:`noiseedit.evaluation.saving`; ``'jpeg'`` writes
            JPEG instead.

    Raises:
        ConfigError: If ``saving`` is unknown.
    """

    def __init__(self, folder: str | Path, saving: Saving = 'round') -> None:
        if saving not in get_args(Saving):
            raise ConfigError(
                f'saving: expected one of {", ".join(get_args(Saving))}, got {saving!r}'
            )
        self.folder, self.saving = Path(folder), saving

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[EditSample] | None = None,
    ) -> None:
        """Write the predictions of a batch."""
        for sample in outputs or ():
            save_pred(sample, self.folder, self.saving)

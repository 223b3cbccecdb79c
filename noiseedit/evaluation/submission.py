"""Files for servers that keep the clean images to themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from noiseedit.errors import DataError
from noiseedit.evaluation.metrics.base import as_sample
from noiseedit.files import atomic_file
from noiseedit.imaging import PathLike
from noiseedit.registry import METRICS
from noiseedit.structures import EditSample

BOXES = 20
VERSION = '1.0'


@METRICS.register_module()
class DNDSubmission(BaseMetric):
    """Write predictions for DND as its server takes them; use it as a metric of a test.

    ``crops/0001_01.mat`` holds ``Idenoised_crop``; ``bundled/0001.mat``, which is to be uploaded,
    the twenty crops of an image in the cell array ``Idenoised``, with ``israw`` false and
    ``eval_version`` '1.0'. Predictions are clipped to [0, 1], float32.

    Args:
        folder: Where to.
    """

    default_prefix = ''

    def __init__(self, folder: PathLike) -> None:
        super().__init__()
        self.folder = Path(folder)

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Write the crops of a batch."""
        for sample in map(as_sample, data_samples):
            write_crop(sample, self.folder / 'crops')
            self.results.append(sample.key)

    def compute_metrics(self, results: list[str]) -> dict[str, float]:
        """Return how many crops were written."""
        return {'DNDSubmission/crops': float(len(set(results)))}

    def evaluate(self, size: int) -> dict[str, float]:
        """Bundle the crops of all processes."""
        keys = [key for part in all_gather_object(self.results) for key in part]
        self.results.clear()
        if is_main_process():
            files = bundle(self.folder, keys)
            print_log(f'{len(files)} files to upload: {self.folder / "bundled"}', 'current')
        return self.compute_metrics(keys)


def write_crop(sample: EditSample, folder: Path) -> Path:
    """Write the prediction of one crop; return the file.

    Raises:
        DataError: If the key is not like ``0001_01``, or the prediction holds NaN.
    """
    if not re.fullmatch(r'\d{4}_\d{2}', sample.key):
        raise DataError(f"DNDSubmission: expected keys as '0001_01' (of DND), got {sample.key!r}")
    if not bool(sample.pred.isfinite().all()):
        raise DataError(f'DNDSubmission: the prediction of {sample.key!r} holds NaN or infinity')
    crop = sample.pred.detach().clamp(0, 1).permute(1, 2, 0).float().cpu().numpy()
    file = folder / f'{sample.key}.mat'
    _save(file, {'Idenoised_crop': crop})
    return file


def bundle(folder: Path, keys: Iterable[str]) -> list[Path]:
    """Join the twenty crops of every image; return the files, one per image.

    Raises:
        DataError: If an image lacks crops; names them.
    """
    done, files = set(keys), []
    for image in sorted({key[:4] for key in done}):
        names = [f'{image}_{box:02d}' for box in range(1, BOXES + 1)]
        if missing := [name for name in names if name not in done]:
            raise DataError(f'DNDSubmission: no prediction of {", ".join(missing)}')
        files.append(folder / 'bundled' / f'{image}.mat')
        _save(files[-1], _bundle(folder / 'crops', names))
    return files


def _bundle(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    from scipy.io import loadmat

    crops: np.ndarray = np.empty(len(names), dtype=object)
    for index, name in enumerate(names):
        crops[index] = loadmat(str(folder / f'{name}.mat'))['Idenoised_crop']
    return {'Idenoised': crops, 'israw': False, 'eval_version': VERSION}


def _save(file: Path, content: dict[str, Any]) -> None:
    from scipy.io import savemat

    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(file) as temporary, temporary.open('wb') as stream:
        savemat(stream, content)

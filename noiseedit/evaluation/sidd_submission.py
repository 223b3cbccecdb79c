"""Predictions for the SIDD benchmark, as its MATLAB kit and its successor on Kaggle take them.

A High-Quality Denoising Dataset for Smartphone Cameras, A. Abdelhamed, S. Lin, M. S. Brown, CVPR
2018. The clean images of its 40 x 32 sRGB blocks are secret.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import as_sample
from noiseedit.files import atomic_file
from noiseedit.imaging import PathLike, to_integers
from noiseedit.registry import METRICS
from noiseedit.structures import EditSample

IMAGES, BLOCKS = 40, 32
MATLAB_FILE, CSV_FILE = 'SubmitSrgb.mat', 'SubmitSrgb.csv'

Place = tuple[int, int]


@METRICS.register_module()
class SIDDSubmission(BaseMetric):
    """Write predictions for the sRGB blocks of the SIDD benchmark; use it as a metric of a test.

    ``SubmitSrgb.mat``, of the benchmark's MATLAB kit: the cell array ``DenoisedBlocksSrgb``
    (40, 32) of blocks (256, 256, 3), single in [0, 1], clipped and not rounded; ``TimeMPSrgb`` and
    ``OptionalData`` where they are given. The kit saves MATLAB 7.3, this is version 5, which MATLAB
    reads as well. ``SubmitSrgb.csv``, of the later competition on Kaggle: columns ``ID`` (0 to
    1279) and ``BLOCK``, the bytes of a block (256, 256, 3) uint8, base64. ``blocks/`` holds what
    both are made of, about 1 GB.

    Args:
        folder: Where to.
        seconds_per_megapixel: Of 1024 * 1024 pixels, as measured; None: not said.
        about: Text on the method, as the kit suggests: ``MethodName``, ``Authors``,
            ``PaperTitle``, ``Venue``, ``MachineSpecs``; None: nothing.

    Raises:
        ConfigError: If the time is no positive number.
    """

    default_prefix = ''

    def __init__(
        self,
        folder: PathLike,
        *,
        seconds_per_megapixel: float | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        if seconds_per_megapixel is not None and not seconds_per_megapixel > 0:
            raise ConfigError(
                'SIDDSubmission.seconds_per_megapixel: expected a positive number or None, got '
                f'{seconds_per_megapixel!r}'
            )
        self.folder = Path(folder)
        self.extras: dict[str, Any] = {}
        if seconds_per_megapixel is not None:
            self.extras['TimeMPSrgb'] = float(seconds_per_megapixel)
        if about:
            self.extras['OptionalData'] = dict(about)

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Write the blocks of a batch."""
        for sample in map(as_sample, data_samples):
            self.results.append(write_block(sample, self.folder / 'blocks'))

    def compute_metrics(self, results: list[Place]) -> dict[str, float]:
        """Return how many blocks were written."""
        return {'SIDDSubmission/blocks': float(len(set(results)))}

    def evaluate(self, size: int) -> dict[str, float]:
        """Join the blocks of all processes."""
        places = [place for part in all_gather_object(self.results) for place in part]
        self.results.clear()
        if is_main_process():
            for file in join(self.folder, places, self.extras):
                print_log(f'to upload: {file}', 'current')
        return self.compute_metrics(places)


def write_block(sample: EditSample, folder: Path) -> Place:
    """Write the prediction of a block; return which of which image it is, both from 0.

    Raises:
        DataError: If the key is not like ``07_31``, as of the file ``BenchmarkNoisyBlocksSrgb.mat``
            (image from 00, block from 00), or the prediction is not finite or not in colour.
    """
    if not re.fullmatch(r'\d{2}_\d{2}', sample.key):
        raise DataError(
            f"SIDDSubmission: expected keys as '07_31' (image and block from 00, of "
            f'BenchmarkNoisyBlocksSrgb.mat), got {sample.key!r}'
        )
    if len(sample.pred) != 3 or not bool(sample.pred.isfinite().all()):
        raise DataError(
            f'SIDDSubmission: expected a prediction (3, H, W) without NaN of {sample.key!r}, got '
            f'{tuple(sample.pred.shape)}, {int((~sample.pred.isfinite()).sum())} values not finite'
        )
    block = sample.pred.detach().clamp(0, 1).permute(1, 2, 0).float().cpu().numpy()
    image, number = (int(part) for part in sample.key.split('_'))
    with atomic_file(_file(folder, (image, number))) as temporary, temporary.open('wb') as stream:
        np.save(stream, np.ascontiguousarray(block))
    return image, number


def join(folder: Path, places: Iterable[Place], extras: Mapping[str, Any]) -> list[Path]:
    """Make both files of the blocks; return them.

    Raises:
        DataError: If blocks are missing; names the first ones.
    """
    done = set(places)
    order = [(image, block) for image in range(IMAGES) for block in range(BLOCKS)]
    missing = [_file(folder, place).stem for place in order if place not in done]
    if missing or len(done) != len(order):
        raise DataError(
            f'SIDDSubmission: expected predictions of {IMAGES} x {BLOCKS} blocks, 00_00 to 39_31, '
            f'got {len(done)}; missing {", ".join(missing[:10]) or "none"}'
        )
    _write_csv(folder, order)
    _write_matlab(folder, order, extras)
    return [folder / MATLAB_FILE, folder / CSV_FILE]


def _write_csv(folder: Path, order: Sequence[Place]) -> None:
    with atomic_file(folder / CSV_FILE) as temporary, temporary.open('w') as stream:
        stream.write('ID,BLOCK\n')
        for number, place in enumerate(order):
            block = to_integers(np.load(_file(folder / 'blocks', place)))
            stream.write(f'{number},{base64.b64encode(block.tobytes()).decode()}\n')


def _write_matlab(folder: Path, order: Sequence[Place], extras: Mapping[str, Any]) -> None:
    from scipy.io import savemat

    cells: np.ndarray = np.empty((IMAGES, BLOCKS), dtype=object)
    for place in order:
        cells[place] = np.load(_file(folder / 'blocks', place), mmap_mode='r')
    with atomic_file(folder / MATLAB_FILE) as temporary, temporary.open('wb') as stream:
        savemat(stream, {'DenoisedBlocksSrgb': cells, **extras})


def _file(folder: Path, place: Place) -> Path:
    return folder / f'{place[0]:02d}_{place[1]:02d}.npy'

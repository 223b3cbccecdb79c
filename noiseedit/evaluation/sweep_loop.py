"""The loop that runs a sweep: every image is read once, every cell sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_gather_object, barrier, get_dist_info, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from torch.utils.data import DataLoader

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.images import image_file, save_all, save_pred
from noiseedit.evaluation.metrics import ImageMetric, SetMetric
from noiseedit.evaluation.metrics.base import fewer_images
from noiseedit.evaluation.progress import SweepProgress
from noiseedit.evaluation.records import (
    Key,
    RecordFile,
    config_hash,
    file_hash,
    image_hash,
    read_records,
    weights_hash,
)
from noiseedit.evaluation.results import (
    ImageRecords,
    Result,
    flat_metrics,
    make_result,
    mean_metrics,
)
from noiseedit.evaluation.scoring import ScorePool, Scores, prepare_target
from noiseedit.evaluation.set_sweep import SetSweep
from noiseedit.evaluation.sweep import Cell, axes_of, cells_of
from noiseedit.evaluation.training_noise import training_noise
from noiseedit.files import write_json
from noiseedit.models.preprocessor import EditPreprocessor
from noiseedit.registry import LOOPS
from noiseedit.structures import EditSample
from noiseedit.version import __version__

EXAMPLE_FOLDER = 'sweep_images'


@LOOPS.register_module()
class SweepTestLoop(BaseLoop):
    """Test a model under every noise, level and repetition of a sweep, in one pass over the data.

    Each batch is read and decoded once; for every cell it is corrupted on its way through
    ``data_preprocessor.test_batch``, predicted, and scored in threads beside the next forward
    pass. Only scalars are kept, and for set metrics one vector per image, in files. A killed sweep
    continues where it was, cell by cell; scores are kept as long as model weights, config of
    model, data and metrics, and the cell are the same.

    Writes ``sweep.json`` (:mod:`noiseedit.evaluation.results`), ``sweep.records.*.jsonl`` and
    ``sweep.vectors`` into the work folder, and pictures of the first images into ``sweep_images``.

    Args:
        runner: The runner.
        dataloader: Loader or its config.
        evaluator: Image metrics and set metrics.
        sweep: See :mod:`noiseedit.evaluation.sweep`.
        examples: Of how many images every cell's pictures are written.
        save_images: Folder for all predictions, one subfolder per cell; ``None``: not written.
        target: Input that the cells corrupt; ``None``: that of the preprocessor's noise.
        workers: Threads that score; ``None``: one per processor, at most four.

    Raises:
        ConfigError: If the sweep is malformed or a metric scores neither images nor sets.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | Mapping[str, Any],
        evaluator: Evaluator | Mapping[str, Any] | Sequence[Any],
        sweep: Mapping[str, Any],
        examples: int = 4,
        save_images: str | Path | None = None,
        workers: int | None = None,
        target: str | None = None,
    ) -> None:
        super().__init__(runner, dataloader)
        if not isinstance(evaluator, Evaluator):
            evaluator = runner.build_evaluator(evaluator)
        self.metrics, self.set_metrics = _sorted_metrics(evaluator)
        self.seed = sweep.get('seed', 0)
        self.axes = axes_of(sweep)
        self.cells = cells_of(self.axes, sweep.get('repetitions', 1), self.seed)
        self.examples, self.workers, self.target = examples, workers, target
        self.save_images = None if save_images is None else Path(save_images)
        self.result: Result | None = None

    @property
    def folder(self) -> Path:
        """Where results go."""
        return Path(self.runner.work_dir)

    def run(self) -> dict[str, float]:
        """Run what is missing; return ``{'<noise>/<level>/<metric>': mean}``."""
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        self.runner.model.eval()
        records = self._score_all()
        self.result = self._finish(records)
        self.runner.call_hook('after_test_epoch', metrics=mean_metrics(self.result))
        self.runner.call_hook('after_test')
        return flat_metrics(self.result)

    @property
    def model(self) -> Any:
        """The model without the wrapper of several processes."""
        model = self.runner.model
        return model.module if is_model_wrapper(model) else model

    # What was done before.

    def _fingerprint(self) -> dict[str, str]:
        if not isinstance(self.model.data_preprocessor, EditPreprocessor):
            raise ConfigError(
                'sweep: the model needs data_preprocessor=EditPreprocessor (or a subclass), got '
                f'{type(self.model.data_preprocessor).__name__}'
            )
        loaded = self.runner._load_from
        return {
            'config_sha256': config_hash(self.runner.cfg),
            'weights_sha256': weights_hash(self.model.state_dict()),
            'checkpoint_sha256': file_hash(loaded) if loaded else '',
            'checkpoint': Path(loaded).name if loaded else '',
        }

    def _score_all(self) -> ImageRecords:
        """Return all records of all processes, computing those that are missing."""
        self.provenance = self._fingerprint()
        names = [metric.name for metric in self.metrics]
        parts = (self.provenance['config_sha256'], self.provenance['weights_sha256'])
        target = [] if self.target is None else [f'target={self.target}']
        fingerprint = '|'.join([__version__, *parts, *target, *names])
        self._records = read_records(self.folder, fingerprint)
        rank = get_dist_info()[0]
        self._sets = SetSweep(self.set_metrics, self.folder, rank, fingerprint)
        barrier()  # nobody rewrites a file that another still reads
        if self._records:
            self.runner.logger.info(
                f'{len(self._records)} scores of an earlier run are kept; delete '
                f'{self.folder}/sweep.records.* to compute them anew'
            )
        self._file = RecordFile(self.folder, rank, fingerprint, self._records)
        self._pool = ScorePool(self.metrics, self._receive, self.workers)
        try:
            self._run_batches()
        finally:
            self._pool.close()
            self._file.close()
        return self._gather()

    def _gather(self) -> ImageRecords:
        """Return the records of the images that any process saw in this run."""
        gathered: ImageRecords = {}
        for records, seen in all_gather_object((self._records, self._seen)):
            gathered |= {
                (cell, image): scores
                for (cell, image, data), scores in records.items()
                if seen.get(image) == data
            }
        return gathered

    def _receive(self, key: Key, scores: Scores) -> None:
        self._records[key] = scores
        self._file.append(key, scores)

    # Running.

    def _run_batches(self) -> None:
        distinct = {cell.identity: cell for cell in reversed(self.cells)}
        cells = list(reversed(distinct.values()))
        self._seen: dict[str, str] = {}
        total = len(self.dataloader.dataset)
        with SweepProgress(total, len(cells), self.runner.logger) as progress:
            for batch in self.dataloader:
                examples = max(0, self.examples - len(self._seen))
                images = _identify(batch)
                self._seen |= dict(images)
                self._run_batch(batch, images, cells, examples, progress)
                progress.images(len(images) * get_dist_info()[1])
            self._pool.drain()

    @torch.no_grad()
    def _run_batch(
        self,
        batch: Any,
        images: Sequence[tuple[str, str]],
        cells: Sequence[Cell],
        examples: int,
        progress: SweepProgress,
    ) -> None:
        preprocessor = self.model.data_preprocessor
        self._pool.backlog = len(images)
        loaded: Any = None
        targets: list[Any] = []
        for cell in cells:
            keys = [(cell.identity, *image) for image in images]
            if self._is_done(cell, keys, images):
                progress.cell()
                continue
            if loaded is None:
                loaded = preprocessor.load(batch)
            inputs = preprocessor.test_batch(
                loaded, cell.noise, self.seed, cell.repetition, self.target
            )
            samples = self.model(**inputs, mode='predict')
            self._sets.add(
                cell.identity, images, samples
            )  # before the records: they say it is done
            targets = targets or [prepare_target(self.metrics, sample) for sample in samples]
            for key, sample, target in zip(keys, samples, targets, strict=True):
                self._pool.submit(key, sample, target)
            self._save(cell, samples, examples)
            progress.cell()

    def _is_done(self, cell: Cell, keys: Sequence[Key], images: Sequence[tuple[str, str]]) -> bool:
        is_scored = all(key in self._records for key in keys)
        return is_scored and self._sets.has(cell.identity, images)

    def _save(self, cell: Cell, samples: Sequence[EditSample], examples: int) -> None:
        for index, sample in enumerate(samples):
            if index < examples and is_main_process():
                save_all(sample, self.folder / EXAMPLE_FOLDER / cell.name)
            if self.save_images is not None:
                save_pred(sample, self.save_images / cell.name)

    # Results.

    def _finish(self, records: ImageRecords) -> Result:
        self._check_complete({image for _, image in records})
        scale = self.model.data_preprocessor.scale
        sets = self._sets.values([cell.identity for cell in self.cells], self._seen)
        result = make_result(
            records, self.cells, self.axes, self.metrics, scale, self.seed, self.set_metrics, sets
        )
        result = {
            'config': Path(self.runner.cfg.filename or '').name,
            'dataset': dict(getattr(self.dataloader.dataset, 'metainfo', {})),
            **self.provenance,
            **training_noise(self.runner.cfg),
            **result,
            'examples': self._examples(result['images']),
        }
        if is_main_process():
            write_json(result, self.folder / 'sweep.json')
            self.runner.logger.info(f'results: {self.folder / "sweep.json"}')
        return result

    def _check_complete(self, images: set[str]) -> None:
        size = len(self.dataloader.dataset)
        if not images:
            raise DataError(f'sweep: no image was scored; the data set has {size}')
        if len(images) < size:
            self.runner.logger.warning(fewer_images(len(images), size))

    def _examples(self, images: Sequence[str]) -> list[str]:
        """Return the keys of the images whose pictures are there."""
        folder = self.folder / EXAMPLE_FOLDER / self.cells[0].name
        return [key for key in images if image_file(folder, key, 'pred').exists()]


def _identify(batch: Any) -> list[tuple[str, str]]:
    """Return key and content hash of every image of a loaded batch."""
    return [
        (sample.key, image_hash({name: images[index] for name, images in batch['inputs'].items()}))
        for index, sample in enumerate(batch['data_samples'])
    ]


def _sorted_metrics(evaluator: Evaluator) -> tuple[list[ImageMetric], list[SetMetric]]:
    """Return the metrics of single images and those of sets."""
    for metric in evaluator.metrics:
        if not isinstance(metric, (ImageMetric, SetMetric)):
            raise ConfigError(
                f'sweep: {type(metric).__name__} does not score single images or sets; it must '
                'derive from noiseedit.evaluation.metrics.ImageMetric or SetMetric'
            )
    of_images = [metric for metric in evaluator.metrics if isinstance(metric, ImageMetric)]
    of_sets = [metric for metric in evaluator.metrics if isinstance(metric, SetMetric)]
    names = [metric.name for metric in of_images]
    names += [name for metric in of_sets for name in metric.value_names]
    if len(set(names)) < len(names) or not names:
        raise ConfigError(f'sweep: expected metrics with a name each, got {names}')
    return of_images, of_sets

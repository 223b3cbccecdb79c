"""What a metric of single images is, and how its values are gathered."""

from __future__ import annotations

import logging
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from mmengine.dist import all_gather_object
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from noiseedit.errors import DataError
from noiseedit.evaluation.profiles import Array, Protocol, protocol
from noiseedit.structures import EditSample

DTYPES = tuple(map(np.dtype, ('uint8', 'float32', 'float64')))
DATA = ('input', 'gt', 'pred', 'draws')
"""What of a sample is data; the rest is metainfo."""

Record = tuple[str, float]
Prepared = dict[Protocol | str, Any]
"""An image as each protocol wants it (``None``: not finite), and as each metric describes it."""


class ImageMetric(BaseMetric):
    """A score per image; a subclass gives ``name``, ``higher_is_better`` and :meth:`score`.

    Works as ``val_evaluator = [dict(type='PSNR')]`` of any MMEngine runner (result: ``{name:
    mean}``) and in sweeps. :meth:`score` must be pure: a sweep calls it from several threads.

    Attributes:
        name: Key of results and files; says the protocol.
        higher_is_better: Direction of improvement.
        records: After :meth:`evaluate`: (sample key, value) of every image of every process.
    """

    default_prefix = ''
    name: str = ''
    higher_is_better: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []

    @abstractmethod
    def score(self, sample: EditSample) -> float:
        """Return the value of one image.

        Args:
            sample: With ``pred`` and whatever the metric compares it with, mostly ``gt``.
        """

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Score a batch; MMEngine's evaluator passes samples as plain dicts."""
        for sample in map(as_sample, data_samples):
            self.results.append((sample.key, self.score(sample)))

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Return ``{name: mean}``; NaN if any value is."""
        return {self.name: math.fsum(value for _, value in results) / len(results)}

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the records of all processes, each image once, and return ``{name: mean}``.

        Samplers repeat images to give every process as many, and data sets replace unreadable
        ones; the key tells which are repeated.

        Raises:
            DataError: If no image came.
        """
        gathered = [record for part in all_gather_object(self.results) for record in part]
        self.results.clear()
        self.records = list(dict(gathered).items())
        if not self.records:
            raise DataError(f'{self.name}: no image was scored; the data set has {size}')
        if len(self.records) < size:
            print_log(fewer_images(len(self.records), size), 'current', logging.WARNING)
        return self.compute_metrics(self.records)


class PairMetric(ImageMetric):
    """A metric of two arrays under a protocol: prediction against target.

    Args:
        profile: Name in :data:`noiseedit.evaluation.profiles.PROFILES`.
        channels: ``'rgb'``, ``'gray'``, ``'y'`` or ``'L'``; ``None``: as the profile says.
        rounding: ``'uint8'`` or ``'float'``; ``None``: as the profile says.
        border: Pixels cut off at each side; ``None``: as the profile says.
        smooth: ``'none'`` or ``'bilateral'``, of the prediction; ``None``: as the profile says.
        saving: How the prediction became 8-bit; ``None``: as the profile says.
    """

    def __init__(
        self,
        profile: str = 'uint8',
        *,
        channels: str | None = None,
        rounding: str | None = None,
        border: int | None = None,
        smooth: str | None = None,
        saving: str | None = None,
    ) -> None:
        super().__init__()
        changes = {'channels': channels, 'rounding': rounding, 'border': border}
        self.protocol = protocol(profile, **changes, smooth=smooth, saving=saving)
        self.name = f'{type(self).__name__}({self.protocol})'

    @abstractmethod
    def compare(self, pred: Array, target: Any) -> float:
        """Return the value of a prediction and what :meth:`describe` made of the target.

        Args:
            pred: What ``protocol.prepare_pred`` made.
            target: The array that ``protocol.prepare`` made, unless :meth:`describe` is overridden.
        """

    def describe(self, target: Array) -> Any:
        """Return what :meth:`compare` takes of a target; done once where it meets many."""
        return target

    def score(self, sample: EditSample) -> float:
        """Return the value of ``pred`` against ``gt``; NaN if ``pred`` is not finite."""
        return score_all([self], sample)[self.name]


def fewer_images(scored: int, size: int) -> str:
    """Return the warning that not every image of a data set counts."""
    return (
        f'{scored} different images scored, the data set has {size}: unreadable ones were '
        'replaced, or several share a key'
    )


def advice_without(kind: str) -> str:
    """Return what to do where samples have no ``kind``: text for the end of a message."""
    if kind != 'gt':
        return ''
    return (
        '; without clean images only metrics that need none can be computed (NoiseLevel); else '
        'give the data set targets'
    )


def as_sample(sample: EditSample | Mapping[str, Any]) -> EditSample:
    """Return ``sample`` as :class:`EditSample`; the evaluator of MMEngine makes dicts of them."""
    if isinstance(sample, EditSample):
        return sample
    data = {name: sample[name] for name in DATA if name in sample}
    meta = {name: value for name, value in sample.items() if name not in data}
    return EditSample(metainfo=meta, **data)


def score_all(
    metrics: Sequence[ImageMetric], sample: EditSample, targets: Prepared | None = None
) -> dict[str, float]:
    """Score one sample by every metric, converting each image once per protocol.

    Args:
        metrics: Any image metrics.
        sample: With ``pred`` and ``gt``.
        targets: Converted targets, filled here; pass the same dict again for the same target.
    """
    targets = {} if targets is None else targets
    preds: Prepared = {}
    scores = {}
    for metric in metrics:
        if isinstance(metric, PairMetric):
            scores[metric.name] = _compare(metric, sample, preds, targets)
        else:
            scores[metric.name] = float(metric.score(sample))
    return scores


def _compare(metric: PairMetric, sample: EditSample, preds: Prepared, targets: Prepared) -> float:
    rules = metric.protocol
    found = (('pred', preds, rules.prepare_pred), ('gt', targets, rules.prepare))
    for name, prepared, prepare in found:
        if name not in sample:
            raise DataError(
                f'{metric.name}: sample {sample.get("key", "?")!r} has no {name!r}; it has '
                f'{", ".join(sample.keys()) or "no images"}{advice_without(name)}'
            )
        if rules not in prepared:
            prepared[rules] = prepare(sample.get(name))
    pred, target = preds[rules], targets[rules]
    if target is None:
        raise DataError(f'{metric.name}: the target of {sample.get("key", "?")!r} holds NaN')
    if pred is None:
        return math.nan
    check_pair(pred, target)
    if metric.name not in targets:
        targets[metric.name] = metric.describe(target)
    return metric.compare(pred, targets[metric.name])


def check_pair(pred: Array, target: Array) -> None:
    """Refuse two arrays that cannot be compared.

    Raises:
        DataError: If shape or type differ, if they are not (H, W) or (H, W, C), or not of uint8,
            float32 or float64.
    """
    if pred.shape != target.shape or pred.dtype != target.dtype:
        raise DataError(
            f'metric: expected two arrays of one shape and type, got {pred.shape} of {pred.dtype} '
            f'and {target.shape} of {target.dtype}'
        )
    if pred.ndim not in (2, 3) or pred.dtype not in DTYPES:
        raise DataError(
            'metric: expected (H, W) or (H, W, C) of uint8, float32 or float64, got '
            f'{pred.shape} of {pred.dtype}'
        )

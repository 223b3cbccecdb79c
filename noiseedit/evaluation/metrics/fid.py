"""Frechet inception distance (Heusel et al., NeurIPS 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from noiseedit.errors import DataError
from noiseedit.evaluation.metrics.features import FeatureMetric
from noiseedit.evaluation.metrics.frechet import (
    Moments,
    frechet_of_moments,
    frechet_of_vectors,
    merged,
    moments,
)
from noiseedit.evaluation.metrics.set_metric import Part, SetValue, joined
from noiseedit.registry import METRICS

SMALL_SET = 2048


@METRICS.register_module()
class FID(FeatureMetric):
    """Frechet distance of the features of predictions and targets; lower is better.

    With the weights of FID the name is ``FID(...)``, with any other network
    ``FrechetDistance(...)``. The value falls with the number of images (its bias is large below
    some ten thousand): compare sets of one size only; the number comes with the result.

    Up to 2048 images processes hand on features (the distance is then exact although covariances
    are singular), beyond that mean and covariance in float64.

    Args:
        features: A module of MODELS or its config; None: ``FIDInception``.
        device: Where the network runs; None: where the images are.
        batch_size: Images that pass the network at once.

    Raises:
        MissingWeightsError: If the weights are not there; nothing is downloaded.
    """

    standard_name, other_name = 'FID', 'FrechetDistance'

    def summarise(self, part: Part) -> Any:
        """Return features of a small set, sums of a large one."""
        if part.total <= SMALL_SET:
            return super().summarise(part)
        names = list(part.names.values())
        return tuple(moments(rows.blocks(names)) for rows in (part.pred, part.target))

    def combine(self, summaries: Sequence[Any]) -> dict[str, SetValue]:
        """Return the distance.

        Raises:
            DataError: If there are fewer than two images.
        """
        is_small = len(summaries[0]) == 3
        count, value = _of_vectors(summaries) if is_small else _of_moments(summaries)
        return {self.name: SetValue(value, count)}


def _of_vectors(summaries: Sequence[Any]) -> tuple[int, float]:
    pred, target = joined(summaries)
    if len(pred) < 2:
        raise DataError(f'FID: expected at least 2 images, got {len(pred)}')
    enough_for_covariance = len(pred) > pred.shape[1]
    if enough_for_covariance:
        return _of_moments([tuple(moments([side]) for side in (pred, target))])
    return len(pred), frechet_of_vectors(pred, target)


def _of_moments(summaries: Sequence[Any]) -> tuple[int, float]:
    pred, target = (_total(side) for side in zip(*summaries, strict=True))
    return pred.n, frechet_of_moments(pred, target)


def _total(parts: Sequence[Moments | None]) -> Moments:
    first, *others = [part for part in parts if part is not None]
    for other in others:
        first = merged(first, other)
    return first

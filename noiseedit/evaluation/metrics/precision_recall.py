"""How faithful and how varied a set is: precision and recall, density and coverage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import nn

from noiseedit.errors import ConfigError
from noiseedit.evaluation.metrics.chosen import chosen_part, first_keys, gather_chosen
from noiseedit.evaluation.metrics.features import FeatureMetric
from noiseedit.evaluation.metrics.neighbours import balls, hits
from noiseedit.evaluation.metrics.set_metric import Part, SetValue
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS


def precision_recall(pred: Array, target: Array, k: int = 3) -> tuple[float, float]:
    """Return improved precision and recall (Kynkaanniemi et al., NeurIPS 2019), both in [0, 1].

    The manifold of a set is the union of balls around its vectors, each up to and with the k-th
    nearest neighbour in the set. Precision: the share of ``pred`` in the manifold of ``target``;
    recall: the share of ``target`` in that of ``pred``.

    Args:
        pred: (n, d).
        target: (m, d).
        k: Neighbours.

    Raises:
        DataError: If a set has not more than ``k`` vectors.
    """
    precision, recall = (
        float((hits(points, balls(manifold, k))[0] > 0).mean())
        for points, manifold in ((pred, target), (target, pred))
    )
    return precision, recall


def density_coverage(pred: Array, target: Array, k: int = 5) -> tuple[float, float]:
    """Return density and coverage (Naeem et al., ICML 2020).

    Of the balls around ``target``: density is the number of balls that each of ``pred`` lies in,
    on average, over ``k`` (at least 0, about 1 if both sets have one law, more where ``pred`` keeps
    to the dense places); coverage the share of balls that hold any of ``pred``, in [0, 1]. Unlike
    precision, density counts an outlier's wide ball once; unlike recall, coverage needs no manifold
    of ``pred``.

    Args:
        pred: (n, d).
        target: (m, d).
        k: Neighbours.

    Raises:
        DataError: If ``target`` has not more than ``k`` vectors.
    """
    counts, is_hit = hits(pred, balls(target, k))
    return float(counts.mean() / k), float(is_hit.mean())


class NeighbourMetric(FeatureMetric):
    """Two values that compare features by their nearest neighbours; higher is better.

    They depend on the number of images: compare sets of one size. Of larger sets ``max_images`` are
    taken, which depends on the seed and their keys alone. Features of these lie in memory (8 KiB
    each for Inception); distances come a block at a time, in float64.

    Args:
        features: A module of MODELS or its config; None: ``FIDInception``. The papers use VGG-16;
            values under different features do not compare.
        k: Neighbours; None: as the paper, :attr:`default_k`.
        max_images: Of how many images features are gathered.
        seed: Of the choice of these.
        device: Where the network runs; None: where the images are.
        batch_size: Images that pass the network at once.

    Raises:
        ConfigError: If sizes do not fit each other.
        MissingWeightsError: If the weights are not there; nothing is downloaded.
    """

    higher_is_better = True
    second_name: ClassVar[str] = ''
    default_k: ClassVar[int] = 3

    def __init__(
        self,
        features: nn.Module | Mapping[str, Any] | None = None,
        k: int | None = None,
        max_images: int = 10_000,
        seed: int = 0,
        device: str | None = None,
        batch_size: int = 32,
    ) -> None:
        self.k = self.default_k if k is None else k
        if not 1 <= self.k < max_images:
            raise ConfigError(
                f'{type(self).__name__}: expected 1 <= k < max_images, got {self.k}, {max_images}'
            )
        self.max_images, self.seed = max_images, seed
        super().__init__(features, device, batch_size)

    def suffix(self) -> str:
        """Return neighbours and the most images."""
        return f',k={self.k},images<={self.max_images}'

    @property
    def value_names(self) -> tuple[str, ...]:
        """Names of both values, under one protocol."""
        return self.name, self.name.replace(self.standard_name, self.second_name, 1)

    def _first(self, keys: Sequence[str]) -> list[str]:
        return first_keys(keys, self.max_images, self.seed, 'neighbours')

    def summarise(self, part: Part) -> Any:
        """Return features of as many images as can count, and the number of all."""
        return chosen_part(part, self._first)

    def combine(self, summaries: Sequence[Any]) -> dict[str, SetValue]:
        """Return both values.

        Raises:
            DataError: If there are not more than ``k`` images.
        """
        total, _, pred, target = gather_chosen(summaries, self._first)
        found = self.compare(pred, target)
        return {n: SetValue(v, total) for n, v in zip(self.value_names, found, strict=True)}

    @abstractmethod
    def compare(self, pred: Array, target: Array) -> tuple[float, float]:
        """Return both values of two sets of features, (n, d) each."""


@METRICS.register_module()
class PrecisionRecall(NeighbourMetric):
    """Precision (faithful?) and recall (varied?), :func:`precision_recall`; k = 3."""

    standard_name = other_name = 'Precision'
    second_name = 'Recall'

    def compare(self, pred: Array, target: Array) -> tuple[float, float]:
        """Return precision and recall."""
        return precision_recall(pred, target, self.k)


@METRICS.register_module()
class DensityCoverage(NeighbourMetric):
    """Density (faithful?) and coverage (varied?), :func:`density_coverage`; k = 5."""

    standard_name = other_name = 'Density'
    second_name = 'Coverage'
    default_k = 5

    def compare(self, pred: Array, target: Array) -> tuple[float, float]:
        """Return density and coverage."""
        return density_coverage(pred, target, self.k)

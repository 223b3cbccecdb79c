"""Kernel inception distance (Binkowski et al., ICLR 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.chosen import chosen_part, first_keys, gather_chosen
from noiseedit.evaluation.metrics.features import FeatureMetric
from noiseedit.evaluation.metrics.set_metric import Part, SetValue
from noiseedit.evaluation.profiles import Array
from noiseedit.registry import METRICS
from noiseedit.seeding import derive_seed


@METRICS.register_module()
class KID(FeatureMetric):
    """Unbiased squared MMD of features, kernel ``(x.y / d + 1)^3``, mean over random subsets.

    With the weights of FID the name is ``KID(...)``, with any other network
    ``KernelDistance(...)``. Unlike FID it has no bias, whatever the size of set and subsets; close
    to 0 it may be negative. The spread is the standard deviation over subsets. Lower is better.

    Of larger sets, ``max_images`` are taken (features in float32, 8 KiB each for Inception): which,
    depends on the seed and their keys alone.

    Args:
        features: A module of MODELS or its config; None: ``FIDInception``.
        subsets: How many subsets.
        subset_size: Images of each set per subset.
        max_images: Of how many images features are gathered.
        seed: Of subsets.
        device: Where the network runs; None: where the images are.
        batch_size: Images that pass the network at once.

    Raises:
        ConfigError: If sizes are not positive or do not fit each other.
        MissingWeightsError: If the weights are not there; nothing is downloaded.
    """

    standard_name, other_name = 'KID', 'KernelDistance'

    def __init__(
        self,
        features: nn.Module | Mapping[str, Any] | None = None,
        subsets: int = 100,
        subset_size: int = 100,
        max_images: int = 10_000,
        seed: int = 0,
        device: str | None = None,
        batch_size: int = 32,
    ) -> None:
        if subsets < 1 or not 2 <= subset_size <= max_images:
            raise ConfigError(
                'KID: expected subsets >= 1 and 2 <= subset_size <= max_images, got '
                f'{subsets}, {subset_size}, {max_images}'
            )
        self.subsets, self.subset_size, self.max_images = subsets, subset_size, max_images
        self.seed = seed
        super().__init__(features, device, batch_size)

    def suffix(self) -> str:
        """Return number and size of subsets."""
        return f',subsets={self.subsets}x{self.subset_size}'

    def _first(self, keys: Sequence[str]) -> list[str]:
        return first_keys(keys, self.max_images, self.seed, 'KID')

    def summarise(self, part: Part) -> Any:
        """Return features of as many images as can count, and the number of all."""
        return chosen_part(part, self._first)

    def combine(self, summaries: Sequence[Any]) -> dict[str, SetValue]:
        """Return mean and standard deviation over subsets.

        Raises:
            DataError: If there are fewer images than a subset has.
        """
        total, keys, pred, target = gather_chosen(summaries, self._first)
        if len(keys) < self.subset_size:
            raise DataError(
                f'{self.name}: {len(keys)} images are fewer than subset_size={self.subset_size}'
            )
        values = [self._subset(pred, target, index) for index in range(self.subsets)]
        std = float(np.std(values, ddof=1)) if len(values) > 1 else float('nan')
        value = SetValue(float(np.mean(values)), total, std, 'subsets')
        return {self.name: value}

    def _subset(self, pred: Array, target: Array, index: int) -> float:
        rng = np.random.default_rng(derive_seed(self.seed, 'eval', 'KID subset', index))
        a, b = (x[rng.permutation(len(x))[: self.subset_size]] for x in (pred, target))
        return kernel_distance(a, b)


def kernel_distance(a: Array, b: Array) -> float:
    """Return the unbiased estimate of the squared MMD of two sets, (n, d) and (m, d).

    ``mean of k(a_i, a_j) over i != j + the same of b - 2 mean of k(a_i, b_j)``, in float64.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    within = [_mean_of_others(_kernel(x, x)) for x in (a, b)]
    return float(sum(within) - 2 * _kernel(a, b).mean())


def _kernel(a: Array, b: Array) -> Array:
    return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)


def _mean_of_others(kernel: Array) -> float:
    count = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))

"""Data sets that draw from other data sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from torch.utils.data import Dataset

from noiseedit.datasets.base import Results
from noiseedit.errors import ConfigError
from noiseedit.registry import DATASETS
from noiseedit.seeding import derive_seed

SetSpec: TypeAlias = Mapping[str, Any] | Dataset


class Parts:
    """Data sets inside another one, and the seed that they share.

    Args:
        specs: Configs or data sets. Those whose config has a ``seed`` keep it.

    Raises:
        ConfigError: If there are none.
    """

    def __init__(self, specs: Iterable[SetSpec]) -> None:
        specs = list(specs)
        if not specs:
            raise ConfigError('expected at least one data set inside this one, got none')
        self.sets: list[Any] = [
            DATASETS.build(dict(spec)) if isinstance(spec, Mapping) else spec for spec in specs
        ]
        self.follows = [not (isinstance(spec, Mapping) and 'seed' in spec) for spec in specs]

    def set_seed(self, seed: int) -> None:
        """Give ``seed`` to those that have none of their own."""
        for part, follows in zip(self.sets, self.follows, strict=True):
            if follows and hasattr(part, 'seed'):
                part.seed = seed

    def item(self, which: int, u: float, visit: int) -> Results:
        """Return an item of set ``which``.

        Args:
            which: The set.
            u: In [0, 1): its index is floor(u * length).
            visit: What else its draws depend on.
        """
        part = self.sets[which]
        return part[visit * len(part) + int(u * len(part))]


def shares_of(weights: Sequence[float], count: int, name: str) -> list[float]:
    """Return ``weights`` as shares, which add up to 1.

    Raises:
        ConfigError: If they are not ``count`` numbers >= 0, one of them positive.
    """
    if len(weights) != count or min(weights) < 0 or sum(weights) <= 0:
        raise ConfigError(
            f'{name}: expected {count} numbers >= 0, one per data set, not all 0, got {weights}'
        )
    return [weight / sum(weights) for weight in weights]


def pick(u: float, shares: Sequence[float]) -> int:
    """Return which part of [0, 1), cut into ``shares``, holds ``u``."""
    below = sum(u >= edge for edge in list(accumulate(shares))[:-1])
    return min(below, max(i for i, share in enumerate(shares) if share > 0))


def uniforms(seed: int, stream: str, *ids: int | str, count: int) -> list[float]:
    """Return ``count`` numbers of U[0, 1), each of a seed derived from ``ids``."""
    return [derive_seed(seed, stream, *ids, place) / 2**63 for place in range(count)]


@DATASETS.register_module()
class MixedSets(Dataset):
    """Several data sets as one: every item is drawn uniformly, with replacement, from all.

    Position p is a draw of its own that depends on the seed and p alone: first a set, then one of
    its images; both anew at every visit. The sets give inputs of equal names and sizes.

    Args:
        datasets: Data sets or their configs.
        weights: How often each is drawn, relative to the others; None: as its length says, so that
            all images are equally likely.
        length: Items of one visit; None: of all sets together.
        seed: Base seed of the stream ``data``, for the sets too; the runner sets it unless the
            config does.

    Raises:
        ConfigError: If there is no set, or the weights do not fit.
    """

    def __init__(
        self,
        datasets: Sequence[SetSpec],
        weights: Sequence[float] | None = None,
        length: int | None = None,
        seed: int = 0,
    ) -> None:
        self.parts = Parts(datasets)
        lengths = [len(part) for part in self.parts.sets]
        self.shares = shares_of(weights or lengths, len(lengths), 'MixedSets.weights')
        self.length = sum(lengths) if length is None else length
        self.seed = seed

    @property
    def seed(self) -> int:
        """Base seed of the draws."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._seed = seed
        self.parts.set_seed(seed)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: int) -> Results:
        u, v = uniforms(self.seed, 'data', 'MixedSets', position, count=2)
        return self.parts.item(pick(u, self.shares), v, int(position))

    @property
    def metainfo(self) -> dict[str, Any]:
        """Size of the set, and the parts' facts."""
        parts = [getattr(part, 'metainfo', {}) for part in self.parts.sets]
        return {'dataset': type(self).__name__, 'length': len(self), 'parts': parts}

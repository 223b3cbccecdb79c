"""The order of samples as a function of (seed, visit): no state, skipping costs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from itertools import count

import torch
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from noiseedit.errors import DataError
from noiseedit.registry import DATA_SAMPLERS
from noiseedit.seeding import derive_seed, generator_for


@DATA_SAMPLERS.register_module()
class CounterSampler(Sampler):
    """Yield absolute positions: ``visit * len(dataset) + index``.

    The data set splits them with ``divmod``. Rank r of w takes the positions r, r + w, ... of the
    sequence perm(0), perm(1), ..., where perm(v) is drawn from ``derive_seed(seed, 'perm', v)``.

    Args:
        dataset: Anything with a length.
        shuffle: Permute every visit; else each goes 0, 1, 2, ...
        seed: Base seed; the runner passes its own.
        infinite: Go through visit after visit for ever; ``IterTrainLoop`` switches it on.
        round_up: Finite only: repeat the first samples until every rank has the same count
            (MMEngine's metrics drop the repeated ones when they gather).

    Raises:
        DataError: If the data set is empty.
    """

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = 0,
        infinite: bool = False,
        round_up: bool = True,
    ) -> None:
        self.size = len(dataset)
        if not self.size:
            raise DataError(f'{type(dataset).__name__}: the data set is empty, nothing to sample')
        self.rank, self.world_size = get_dist_info()
        self.shuffle, self.infinite, self.round_up = shuffle, infinite, round_up
        self.seed = seed or 0
        self._skipped, self._visit = 0, 0

    def skip(self, num_samples: int) -> None:
        """Let the next pass begin after the first ``num_samples`` of this rank; O(1)."""
        self._skipped = num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the visit of a finite pass."""
        self._visit = epoch

    def __len__(self) -> int:
        """Return the count of one visit on this rank."""
        if self.round_up:
            return -(-self.size // self.world_size)
        return len(range(self.rank, self.size, self.world_size))

    def __iter__(self) -> Iterator[int]:
        start = self.rank + self._skipped * self.world_size
        if self.infinite:
            return self._endless(start)
        self._skipped = 0
        return self._one_visit(start)

    def _one_visit(self, start: int) -> Iterator[int]:
        order = self._order(self._visit)
        stop = len(self) * self.world_size if self.round_up else self.size
        for place in range(start, stop, self.world_size):
            yield self._visit * self.size + order[place % self.size]

    def _endless(self, start: int) -> Iterator[int]:
        visit, order = -1, [0]
        for place in count(start, self.world_size):
            if place // self.size != visit:
                visit = place // self.size
                order = self._order(visit)
            yield visit * self.size + order[place % self.size]

    def _order(self, visit: int) -> list[int]:
        if not self.shuffle:
            return list(range(self.size))
        generator = generator_for(derive_seed(self.seed, 'perm', visit))
        return torch.randperm(self.size, generator=generator).tolist()

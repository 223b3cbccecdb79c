"""Test on the first images of a data set only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.utils.data import Dataset

from noiseedit.errors import ConfigError
from noiseedit.registry import DATASETS


@DATASETS.register_module()
class FirstImages(Dataset):
    """The first ``count`` images of a data set.

    Args:
        dataset: A data set or its config.
        count: How many; all if there are fewer.

    Raises:
        ConfigError: If ``count`` is not positive.
    """

    def __init__(self, dataset: Any, count: int) -> None:
        if count < 1:
            raise ConfigError(f'limit: expected at least one image, got {count}')
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, Mapping) else dataset
        self.count = min(count, len(self.dataset))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, position: int) -> Any:
        visit, index = divmod(int(position), self.count)
        return self.dataset[visit * len(self.dataset) + index]

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of the whole set, with the smaller length."""
        return {**getattr(self.dataset, 'metainfo', {}), 'length': self.count}

    @property
    def seed(self) -> int:
        """Base seed of the data set."""
        return int(getattr(self.dataset, 'seed', 0))

    @seed.setter
    def seed(self, seed: int) -> None:
        if hasattr(self.dataset, 'seed'):
            self.dataset.seed = seed

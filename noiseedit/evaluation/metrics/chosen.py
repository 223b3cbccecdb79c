"""At most so many images of a set, drawn by their keys: metrics that hold all vectors at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from noiseedit.evaluation.metrics.set_metric import Part
from noiseedit.evaluation.profiles import Array
from noiseedit.seeding import derive_seed

Choose = Callable[[Sequence[str]], list[str]]


class Chosen(NamedTuple):
    """Vectors of the chosen images of all processes.

    Attributes:
        total: Images of the whole set.
        keys: Of the chosen ones, in the order of the rows.
        pred: Their predictions, (n, length).
        target: Their targets.
    """

    total: int
    keys: list[str]
    pred: Array
    target: Array


def first_keys(keys: Sequence[str], count: int, seed: int, owner: str) -> list[str]:
    """Return at most ``count`` keys, in a random order that each key's own draw decides.

    Args:
        keys: Of any part of the set: the first ones of all are among the first of their part.
        count: How many.
        seed: The user's.
        owner: Name of the metric: each draws its own order.
    """
    return sorted(keys, key=lambda key: (derive_seed(seed, 'eval', owner, key), key))[:count]


def chosen_part(part: Part, choose: Choose) -> Any:
    """Return what a process hands on: as many images as can be among the chosen."""
    keys = choose(list(part.names))
    return part.total, keys, *part.vectors(keys)


def gather_chosen(summaries: Sequence[Any], choose: Choose) -> Chosen:
    """Return the chosen images of what :func:`chosen_part` returned in every process."""
    rows = {
        key: pair
        for _, keys, pred, target in summaries
        for key, pair in zip(keys, zip(pred, target, strict=True), strict=True)
    }
    keys = choose(list(rows))
    pred, target = (np.stack(side) for side in zip(*(rows[key] for key in keys), strict=True))
    return Chosen(summaries[0][0], keys, pred, target)

"""Released weights of a method to a checkpoint of ours.

A method takes part by having ``convert(state_dict) -> Converted`` in
``noiseedit/models/<method>/convert.py``; nothing is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from noiseedit.errors import CheckpointError, UnknownNameError, nearest
from noiseedit.registry import GENERATORS


class Converted(NamedTuple):
    """What a converter found.

    Attributes:
        state_dict: Weights of the generator under our names, without prefix.
        generator: Config of the generator that they fit, inferred from the weights.
    """

    state_dict: dict[str, Tensor]
    generator: dict[str, Any]


def methods() -> list[str]:
    """Return the names of the methods that have a converter."""
    return sorted(file.parent.name for file in Path(__file__).parent.glob('*/convert.py'))


def converter(method: str) -> Callable[[Mapping[str, Tensor]], Converted]:
    """Return the function that converts the released weights of ``method``.

    Raises:
        UnknownNameError: If there is none; lists the nearest.
    """
    if method not in methods():
        raise UnknownNameError(
            f'method {method!r} has no converter; nearest: {", ".join(nearest(method, methods()))}'
        )
    function: Callable[[Mapping[str, Tensor]], Converted]
    function = import_module(f'noiseedit.models.{method}.convert').convert
    return function


def convert(method: str, state_dict: Mapping[str, Tensor]) -> Converted:
    """Return the converted weights, checked against the network that they are said to fit.

    Args:
        method: One of :func:`methods`.
        state_dict: The released weights; all names must be understood.

    Raises:
        UnknownNameError: If the method has no converter.
        CheckpointError: If the weights are not those of the method.
    """
    converted = converter(method)(state_dict)
    check(converted)
    return converted


def check(converted: Converted) -> None:
    """Load the weights strictly into the network of their config.

    Raises:
        CheckpointError: If anything is missing, left over or of another shape.
    """
    with torch.device('meta'):
        network = GENERATORS.build(dict(converted.generator))
    try:
        network.load_state_dict(converted.state_dict, strict=True, assign=True)
    except RuntimeError as error:
        raise CheckpointError(f'the weights do not fit {converted.generator}: {error}') from None


def checkpoint(method: str, converted: Converted, source: str) -> dict[str, Any]:
    """Return a checkpoint that ``tools/test.py`` loads: weights as ``generator.<name>``, and meta.

    Args:
        method: As in :func:`convert`.
        converted: What it returned.
        source: Name of the released file, kept in ``meta``.
    """
    return {
        'state_dict': {f'generator.{name}': t for name, t in converted.state_dict.items()},
        'meta': {'method': method, 'source': source, 'generator': converted.generator},
    }

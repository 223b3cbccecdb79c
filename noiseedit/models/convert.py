"""Released weights of a method to a checkpoint of ours.

A method takes part by having ``convert(state_dict) -> Converted`` in
``noiseedit/models/<method>/convert.py``; nothing is registered. One whose weights are released in
several files says there in ``FILES`` how their names begin; ``convert`` then gets the weights of
all, with that beginning and a dot before each name (see :func:`join`). One whose weights are also
released in files that torch does not read says there in ``READERS`` which function reads a suffix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from noiseedit.errors import CheckpointError, UnknownNameError, nearest
from noiseedit.registry import DISCRIMINATORS, GENERATORS


class Network(NamedTuple):
    """One network that a converter found.

    Attributes:
        state_dict: Its weights under our names, without prefix.
        config: Config of the network that they fit, inferred from the weights.
    """

    state_dict: dict[str, Tensor]
    config: dict[str, Any]


class Converted(NamedTuple):
    """What a converter found.

    Attributes:
        state_dict: Weights of the generator under our names, without prefix.
        generator: Config of the generator that they fit, inferred from the weights; empty if
            there is none, as in a file of a discriminator alone.
        others: Further networks by their names in the model, such as ``'discriminator'``.
    """

    state_dict: dict[str, Tensor]
    generator: dict[str, Any]
    others: Mapping[str, Network] = {}

    def networks(self) -> dict[str, Network]:
        """Return all of them by their names in the model, the generator first."""
        own = {'generator': Network(self.state_dict, self.generator)} if self.generator else {}
        return {**own, **self.others}


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


def reader(method: str, file: str | Path) -> Callable[[Path], dict[str, Tensor]] | None:
    """Return the function that reads a file of this suffix for ``method``; None: torch reads it."""
    readers = getattr(import_module(converter(method).__module__), 'READERS', {})
    found: Callable[[Path], dict[str, Tensor]] | None = readers.get(Path(file).suffix.lower())
    return found


def unwrapped(loaded: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is under ``params_ema`` or ``params``, where BasicSR keeps weights, else all."""
    return next((loaded[key] for key in ('params_ema', 'params') if key in loaded), loaded)


def join(method: str, files: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return what :func:`convert` takes, from the weights of the released files.

    Args:
        method: One of :func:`methods`.
        files: Path of the file -> its weights.

    Raises:
        CheckpointError: If there are more files than the method has networks, or a name does not
            tell which network a file holds.
    """
    kinds = getattr(import_module(converter(method).__module__), 'FILES', ())
    if len(files) == 1 and not _kind(next(iter(files)), kinds):
        return dict(next(iter(files.values())))
    if not kinds:
        raise CheckpointError(f'{method}: expected one file, got {", ".join(files)}')
    joined: dict[str, Tensor] = {}
    taken: dict[str, str] = {}
    for name, weights in files.items():
        kind = _kind(name, kinds)
        if not kind or kind in taken:
            raise CheckpointError(
                f'{method}: expected at most one file for each of {", ".join(kinds)} (so must its '
                f'name begin), got {", ".join(files)}'
            )
        taken[kind] = name
        joined |= {f'{kind}.{key}': tensor for key, tensor in weights.items()}
    return joined


def _kind(name: str, kinds: Iterable[str]) -> str:
    """Return the longest of ``kinds`` that the file's name begins with, or nothing."""
    fitting = [kind for kind in kinds if Path(name).name.startswith(kind)]
    return max(fitting, key=len, default='')


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
    """Load the weights strictly into the networks of their configs.

    Raises:
        CheckpointError: If anything is missing, left over or of another shape.
    """
    for state_dict, config in converted.networks().values():
        registry = GENERATORS if config['type'] in GENERATORS else DISCRIMINATORS
        with torch.device('meta'):
            network = registry.build(dict(config))
        try:
            network.load_state_dict(state_dict, strict=True, assign=True)
        except RuntimeError as error:
            raise CheckpointError(f'the weights do not fit {config}: {error}') from None


def checkpoint(method: str, converted: Converted, source: str) -> dict[str, Any]:
    """Return a checkpoint that ``tools/test.py`` loads: weights as ``<network>.<name>``, and meta.

    Args:
        method: As in :func:`convert`.
        converted: What it returned.
        source: Name of the released file, kept in ``meta`` beside the configs of the networks.
    """
    networks = converted.networks()
    configs = {name: network.config for name, network in networks.items()}
    return {
        'state_dict': {
            f'{name}.{key}': tensor
            for name, network in networks.items()
            for key, tensor in network.state_dict.items()
        },
        'meta': {'method': method, 'source': source, **configs},
    }

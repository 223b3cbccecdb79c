"""From a module to plain names of weights and back, strictly, also through distributed wrappers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from noiseedit.errors import CheckpointError

CONFIGURED_PREFIX = 'data_preprocessor.'
"""State of the preprocessor comes from the config; a checkpoint may lack it or hold other."""


def load_weights(
    module: nn.Module,
    state: Mapping[str, Tensor],
    strict: bool = True,
    prefixes: Sequence[str] = ('module.',),
    optional: Collection[str] = (),
) -> str:
    """Copy ``state`` into ``module``; a tensor that does not fit is an error that lists it.

    Args:
        module: Any module; distributed wrappers around it or its children are looked through.
        state: Name -> tensor.
        strict: Every tensor must fit; else those that fit are copied and the report is returned.
        prefixes: Taken off the names in ``state``, where present.
        optional: Child networks that ``state`` may lack as a whole; they then stay as they are.

    Returns:
        What did not fit, as text; empty if everything did.

    Raises:
        CheckpointError: If ``strict`` and anything is missing, unexpected or of another shape;
            or if nothing at all fits.
    """
    state = {_strip(name, prefixes): tensor for name, tensor in state.items()}
    with unwrapped(module) as plain:
        own = _without_absent(plain.state_dict(), state, optional)
        fitting = {n: t for n, t in state.items() if n in own and own[n].shape == t.shape}
        report = mismatch_table(own, state)
        if (report and strict) or (own and not fitting):
            raise CheckpointError(f'the weights do not fit {type(plain).__name__}:\n{report}')
        plain.load_state_dict(fitting, strict=False)
    return report


def _without_absent(
    own: Mapping[str, Tensor], state: Mapping[str, Tensor], optional: Collection[str]
) -> dict[str, Tensor]:
    """Return ``own`` without the optional networks of which ``state`` has nothing."""
    absent = set(optional) - {name.partition('.')[0] for name in state}
    return {name: t for name, t in own.items() if name.partition('.')[0] not in absent}


def _strip(name: str, prefixes: Sequence[str]) -> str:
    for prefix in prefixes:
        name = name.removeprefix(prefix)
    return name


def mismatch_table(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """Return lines that tell which tensors are missing, unexpected or of another shape."""
    lines = [f'  missing     {n} {tuple(own[n].shape)}' for n in own if n not in state]
    lines += [f'  unexpected  {n} {tuple(state[n].shape)}' for n in state if n not in own]
    lines += [
        f'  shape       {n}: model {tuple(own[n].shape)}, file {tuple(state[n].shape)}'
        for n in own
        if n in state and own[n].shape != state[n].shape
    ]
    lines = [line for line in lines if line.split()[1].startswith(CONFIGURED_PREFIX) is False]
    more = [f'  ... and {len(lines) - 20} more'] if len(lines) > 20 else []
    return '\n'.join(lines[:20] + more)


@contextmanager
def unwrapped(module: nn.Module) -> Iterator[nn.Module]:
    """Give ``module`` without distributed wrappers around it and its children, for the moment."""
    from mmengine.model import is_model_wrapper

    inner = module.module if is_model_wrapper(module) else module
    wrapped = {n: c for n, c in inner._modules.items() if c is not None and is_model_wrapper(c)}
    inner._modules.update({name: child.module for name, child in wrapped.items()})
    try:
        yield inner
    finally:
        inner._modules.update(wrapped)


def training_only(module: nn.Module) -> set[str]:
    """Return the child networks that a model needs in training alone; of others: none."""
    with unwrapped(module) as plain:
        return set(getattr(plain, 'training_only', set)())


def plain_state_dict(module: nn.Module) -> dict[str, Tensor]:
    """Return ``module.state_dict()`` under the names it has without distributed wrappers."""
    with unwrapped(module) as plain:
        return dict(plain.state_dict())

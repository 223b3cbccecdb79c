"""One optimiser for each named network of a model, or for the networks that a phase trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper, OptimWrapperDict
from torch import nn

from noiseedit.errors import CheckpointError, ConfigError, nearest
from noiseedit.registry import OPTIM_WRAPPER_CONSTRUCTORS


class NamedOptimWrappers(OptimWrapperDict):
    """Optimisers by the name of the network they train."""

    def initialize_count_status(self, model: nn.Module, cur_iter: int, max_iters: int) -> None:
        """Tell each how many updates were and will be: one per iteration.

        A model that updates a network more or less often tells that one itself.
        """
        for name, wrapper in self.items():
            wrapper.initialize_count_status(_trained(model, name), cur_iter, max_iters)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore all of them.

        Raises:
            CheckpointError: If the names differ.
        """
        if set(state_dict) != set(self.keys()):
            raise CheckpointError(
                f'optimisers: the model has {", ".join(self.keys())}, '
                f'the checkpoint {", ".join(state_dict)}'
            )
        super().load_state_dict(dict(state_dict))


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class MultiOptimConstructor:
    """Build ``optim_wrapper = dict(constructor='MultiOptimConstructor', <child>=dict(...), ...)``.

    Each entry is what ``optim_wrapper`` is for a single network: ``type``, ``optimizer``,
    ``accumulative_counts``, ``clip_grad``, ``paramwise_cfg``. It serves the child network of its
    name, or all that the model's phases train with the optimiser of that name.

    Args:
        optim_wrapper_cfg: Child name -> config.
        paramwise_cfg: Must be ``None``: it belongs into each entry.

    Raises:
        ConfigError: If an entry is no child of the model, or there is none.
    """

    def __init__(
        self, optim_wrapper_cfg: Mapping[str, Any], paramwise_cfg: Mapping[str, Any] | None = None
    ) -> None:
        if paramwise_cfg is not None:
            raise ConfigError('optim_wrapper.paramwise_cfg: put it into the entry of each network')
        self.configs = {
            name: dict(config)
            for name, config in optim_wrapper_cfg.items()
            if isinstance(config, Mapping)
        }
        if not self.configs:
            raise ConfigError(
                'optim_wrapper: expected one dict per network, e.g. '
                "generator=dict(optimizer=dict(type='Adam', lr=2e-4))"
            )

    def __call__(self, model: nn.Module) -> NamedOptimWrappers:
        """Return the optimisers of ``model``, which may be wrapped."""
        return NamedOptimWrappers(
            **{name: _build(_trained(model, name), config) for name, config in self.configs.items()}
        )


def _build(network: nn.Module, config: Mapping[str, Any]) -> OptimWrapper:
    rest = dict(config)
    paramwise = rest.pop('paramwise_cfg', None)
    return DefaultOptimWrapperConstructor(rest, paramwise)(network)


def _trained(model: nn.Module, name: str) -> nn.Module:
    """Return what the optimiser ``name`` trains: a network, or several by their names."""
    inner = model.module if is_model_wrapper(model) else model
    phases = inner.phases() if hasattr(inner, 'phases') else ()
    trained = [child for phase in phases if phase.optimiser == name for child in phase.trained]
    networks = {child: _child(inner, child) for child in trained or [name]}
    return nn.ModuleDict(networks) if len(networks) > 1 else next(iter(networks.values()))


def _child(inner: nn.Module, name: str) -> nn.Module:
    children = dict(inner.named_children())
    if name not in children:
        raise ConfigError(
            f'optim_wrapper.{name}: {type(inner).__name__} has no network of that name; '
            f'nearest: {", ".join(nearest(name, children))}'
        )
    child = children[name]
    return child.module if is_model_wrapper(child) else child

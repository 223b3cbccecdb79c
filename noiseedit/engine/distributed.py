"""Several processes: start-up on GPUs (nccl) or CPUs (gloo), and models with several optimisers."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.model import MMDistributedDataParallel, MMSeparateDistributedDataParallel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from noiseedit.errors import ConfigError
from noiseedit.registry import MODEL_WRAPPERS

RANK_VARIABLES: dict[str, dict[str, str]] = {
    'pytorch': {},
    'slurm': {'RANK': 'SLURM_PROCID', 'WORLD_SIZE': 'SLURM_NTASKS', 'LOCAL_RANK': 'SLURM_LOCALID'},
    'mpi': {
        'RANK': 'OMPI_COMM_WORLD_RANK',
        'WORLD_SIZE': 'OMPI_COMM_WORLD_SIZE',
        'LOCAL_RANK': 'OMPI_COMM_WORLD_LOCAL_RANK',
    },
}
"""Launcher -> torch's variable -> the launcher's; ``torchrun`` sets torch's itself."""


def init_processes(launcher: str, backend: str | None = None, timeout: float = 1800) -> None:
    """Join the process group that ``launcher`` has started.

    Args:
        launcher: ``'pytorch'`` (torchrun), ``'slurm'`` (srun) or ``'mpi'`` (mpirun).
        backend: ``None``: nccl with GPUs, gloo without.
        timeout: Seconds after which a rank that waits for the others gives up.

    Raises:
        ConfigError: If the launcher is unknown or did not set its variables.
    """
    if launcher not in RANK_VARIABLES:
        raise ConfigError(f'launcher: expected {", ".join(RANK_VARIABLES)}, got {launcher!r}')
    for variable, source in RANK_VARIABLES[launcher].items():
        if source in os.environ:
            os.environ[variable] = os.environ[source]
    os.environ.setdefault('MASTER_PORT', '29500')
    missing = [v for v in ('RANK', 'WORLD_SIZE', 'MASTER_ADDR') if v not in os.environ]
    if missing:
        raise ConfigError(
            f'launcher={launcher!r}: {", ".join(missing)} not set; start the program with '
            'tools/dist_train.sh (torchrun) or tools/slurm_train.sh'
        )
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.cuda.set_device(local_rank())
    if backend is None or (backend == 'nccl' and not has_gpu):
        backend = 'nccl' if has_gpu else 'gloo'
    distributed.init_process_group(backend, timeout=timedelta(seconds=timeout))


def local_rank() -> int:
    """Return the index of this process on its machine."""
    return int(os.environ.get('LOCAL_RANK', 0))


def wrap_model(model: nn.Module, settings: Mapping[str, Any] | None = None) -> nn.Module:
    """Return ``model`` with every trainable child reduced over the processes."""
    return MODEL_WRAPPERS.build({'type': 'ChildrenDDP', **(settings or {}), 'module': model})


@MODEL_WRAPPERS.register_module()
class ChildrenDDP(MMSeparateDistributedDataParallel):
    """Wrap each trainable child network, so that several optimisers may step independently.

    Gradients are averaged only for calls through a child's ``forward``; a model calls
    ``self.generator(x)``, never ``self.generator.module(x)``. A network that is evaluated but not
    trained in a phase must be frozen in it.

    Args:
        module: The model; its trainable parameters must all belong to direct children with a
            ``forward`` of their own.
        find_unused_parameters: Allow branches that a forward pass leaves out (slower).
        kwargs: For ``DistributedDataParallel``.

    Raises:
        ConfigError: If a trainable parameter would be left out of the averaging.
    """

    def __init__(
        self, module: nn.Module, find_unused_parameters: bool = False, **kwargs: Any
    ) -> None:
        nn.Module.__init__(self)  # this wrapper reduces nothing itself: not DDP's constructor
        _check_children(module)
        self.module = module.to(get_device())
        settings = {'device_ids': _device_ids(), **_own_buffers(), **kwargs}
        for name, child in module._modules.items():
            if child is not None and any(p.requires_grad for p in child.parameters()):
                module._modules[name] = MMDistributedDataParallel(
                    module=child, find_unused_parameters=find_unused_parameters, **settings
                )

    def train_step(self, data: Any, optim_wrapper: OptimWrapper) -> dict[str, torch.Tensor]:
        """Train one step; while a single optimiser accumulates, nothing is sent."""
        accumulates = (
            not isinstance(optim_wrapper, OptimWrapperDict) and not optim_wrapper.should_sync()
        )
        with self.no_sync() if accumulates else ExitStack():
            return self.module.train_step(data, optim_wrapper)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Keep the gradients of all children local."""
        with ExitStack() as stack:
            for child in self.module.children():
                if isinstance(child, MMDistributedDataParallel):
                    stack.enter_context(child.no_sync())
            yield


def _own_buffers() -> dict[str, bool]:
    """Return the argument that keeps buffers as they are in every forward pass.

    Exchanging them would change buffers in place between two passes and one backward.
    """
    known = inspect.signature(DistributedDataParallel).parameters
    name = 'forward_sync_buffers' if 'forward_sync_buffers' in known else 'broadcast_buffers'
    return {name: False}


def _device_ids() -> list[int] | None:
    return [torch.cuda.current_device()] if torch.cuda.is_available() else None


def _check_children(module: nn.Module) -> None:
    loose = [name for name, _ in module.named_parameters(recurse=False)]
    loose += [
        name
        for name, child in module.named_children()
        if isinstance(child, (nn.ModuleDict, nn.ModuleList))
        and any(p.requires_grad for p in child.parameters())
    ]
    if loose:
        raise ConfigError(
            f'{type(module).__name__}: {", ".join(loose)} would not be averaged over processes; '
            'make every trainable network a direct child with its own forward'
        )


def sync_buffers(model: nn.Module) -> None:
    """Give every rank the buffers of rank 0 (running statistics, spectral-norm vectors)."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return
    for buffer in model.buffers():
        distributed.broadcast(buffer, src=0)

"""Restore the state of a training run from a loaded checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from noiseedit.engine.loaders import seed_loader
from noiseedit.engine.plain import restore_histories, to_plain
from noiseedit.errors import CheckpointError

if TYPE_CHECKING:
    from mmengine.runner import Runner
    from torch import nn


def check_same_run(runner: Runner, checkpoint: Mapping[str, Any]) -> None:
    """Warn about what makes the continued run differ from an uninterrupted one.

    Raises:
        CheckpointError: If the file holds weights only.
    """
    if 'iter' not in checkpoint.get('meta', {}) or 'optimizer' not in checkpoint:
        raise CheckpointError(
            'resume: the checkpoint holds no training state (optimiser, iteration), only weights; '
            'use load_from=... without --resume to start from its weights'
        )
    meta = checkpoint['meta']
    now = {
        'world_size': runner.world_size,
        'batch_size': runner.train_dataloader.batch_size,
        'dataset_meta': to_plain(getattr(runner.train_dataloader.dataset, 'metainfo', None)),
    }
    for name, value in now.items():
        if name in meta and meta[name] != value:
            runner.logger.warning(
                f'resume: {name} was {meta[name]!r} and is {value!r}; the run continues, but not '
                'as it would have gone on without the interruption'
            )
    _check_schedules(runner, meta)


def _check_schedules(runner: Runner, meta: Mapping[str, Any]) -> None:
    before = meta.get('max_iters', runner.max_iters)
    if before == runner.max_iters:
        return
    configs = _configs(runner.cfg.get('param_scheduler'))
    open_ended = sorted({str(config['type']) for config in configs if 'end' not in config})
    if open_ended:
        runner.logger.warning(
            f'resume: max_iters was {before} and is {runner.max_iters}; {", ".join(open_ended)} '
            f'without an explicit `end` still end at iteration {before}: the learning rate stays '
            'as it is then. Write `end` into param_scheduler'
        )


def _configs(schedulers: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the scheduler configs in ``param_scheduler``: one, a list, or lists by name."""
    if isinstance(schedulers, Mapping) and 'type' in schedulers:
        yield schedulers
    elif isinstance(schedulers, Mapping):
        for group in schedulers.values():
            yield from _configs(group)
    elif isinstance(schedulers, Sequence):
        for scheduler in schedulers:
            yield from _configs(scheduler)


def restore_training(
    runner: Runner,
    checkpoint: Mapping[str, Any],
    with_optimizer: bool = True,
    with_schedulers: bool = True,
) -> None:
    """Set iteration, seed, log histories, optimisers, schedulers and the model's own state.

    The config text in the file is never executed.

    Raises:
        CheckpointError: If the optimisers or schedulers are not those of the config.
    """
    meta = checkpoint['meta']
    runner.train_loop._epoch, runner.train_loop._iter = meta.get('epoch', 0), meta['iter']
    _restore_seed(runner, meta.get('seed'))
    hub = dict(checkpoint['message_hub'])
    hub['log_scalars'] = restore_histories(hub['log_scalars'])
    runner.message_hub.load_state_dict(hub)
    if with_optimizer:
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        _restore_optimizer(runner.optim_wrapper, checkpoint['optimizer'])
    if with_schedulers and runner.param_schedulers is not None:
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
        _restore_schedulers(runner.param_schedulers, checkpoint.get('param_schedulers'))
    if 'training_state' in checkpoint:
        _without_wrapper(runner.model).load_training_state(checkpoint['training_state'])


def scheduler_states(schedulers: Any) -> Any:
    """Return the states of schedulers: a list, or lists by name."""
    if isinstance(schedulers, Mapping):
        return {name: scheduler_states(group) for name, group in schedulers.items()}
    return [scheduler.state_dict() for scheduler in schedulers]


def training_state(model: nn.Module) -> dict[str, Any]:
    """Return what resuming needs of a model beside its weights; empty for most."""
    inner = _without_wrapper(model)
    return inner.training_state() if hasattr(inner, 'training_state') else {}


def _without_wrapper(model: nn.Module) -> Any:
    from mmengine.model import is_model_wrapper

    return model.module if is_model_wrapper(model) else model


def _restore_seed(runner: Runner, seed: int | None) -> None:
    if seed is None or seed == runner.seed:
        return
    runner.logger.warning(
        f'resume: seed {runner.seed} of the config gives way to {seed}, that of the run'
    )
    runner._randomness_cfg.update(seed=seed)
    runner.set_randomness(**runner._randomness_cfg)
    seed_loader(runner.train_dataloader, seed)


def _restore_optimizer(optim_wrapper: Any, state: Mapping[str, Any]) -> None:
    try:
        optim_wrapper.load_state_dict(dict(state))
    except (ValueError, KeyError) as error:
        raise CheckpointError(f'resume: the optimiser is not that of the run ({error})') from error


def _restore_schedulers(schedulers: Any, states: Any) -> None:
    if isinstance(schedulers, Mapping):
        same = isinstance(states, Mapping) and set(schedulers) == set(states)
    else:
        same = isinstance(states, Sequence) and len(schedulers) == len(states)
    if not same:
        raise CheckpointError('resume: param_scheduler is not that of the run; restore the config')
    if isinstance(schedulers, Mapping):
        for name, group in schedulers.items():
            _restore_schedulers(group, states[name])
        return
    for scheduler, state in zip(schedulers, states, strict=True):
        scheduler.load_state_dict(state)

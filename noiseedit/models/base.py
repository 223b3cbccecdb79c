"""The base of every model: one training step, one way to predict, plain checkpoint keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, NamedTuple

import torch
from mmengine.logging import MessageHub
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner.checkpoint import get_state_dict
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.preprocessor import Batch, EditPreprocessor
from noiseedit.registry import LOSSES, MODELS
from noiseedit.structures import EditSample

Inputs = dict[str, Tensor]
Losses = dict[str, Tensor]


class Phase(NamedTuple):
    """One optimiser step of a training iteration.

    Attributes:
        optimiser: Its name in ``optim_wrapper``.
        loss: The model's method ``loss(inputs) -> {term: weighted scalar}``; its name is the prefix
            of the logged terms.
        trained: The child networks that this step trains; all others are frozen meanwhile.
        part: (k, n): the step sees the k-th of n equal parts of the batch. Several steps of one
            kind log the last.
    """

    optimiser: str
    loss: str
    trained: tuple[str, ...]
    part: tuple[int, int] = (0, 1)

    def share(self, inputs: Inputs) -> Inputs:
        """Return this step's part of the batch.

        Raises:
            ConfigError: If the batch does not divide.
        """
        index, count = self.part
        return inputs if count == 1 else {k: _part(v, index, count) for k, v in inputs.items()}


class EditModel(BaseModel):
    """A model that translates ``source`` images; subclasses say how, and what its losses are.

    A subclass gives :meth:`translate` and, for every phase of :meth:`phases`, a loss method.
    Trainable networks are direct children, so that each can be wrapped for several processes.

    Args:
        data_preprocessor: Config of the preprocessor; None: ``EditPreprocessor``, range [0, 1].
        channels_last: Keep weights, and so activations, in NHWC layout: faster convolutions on
            GPU tensor cores and on CPU.
        scheme: No training scheme but where a subclass takes one, as ``RestorationModel``.

    Raises:
        ConfigError: If ``scheme`` arrives here.
    """

    data_preprocessor: EditPreprocessor

    def __init__(
        self,
        data_preprocessor: Mapping[str, Any] | None = None,
        channels_last: bool = False,
        *,
        scheme: Mapping[str, Any] | None = None,
    ) -> None:
        if scheme is not None:
            raise ConfigError(
                f'model.scheme: {type(self).__name__} learns by no training scheme, got '
                f'{scheme.get("type", scheme)}; choose a config of a RestorationModel, such as '
                'those of configs/dncnn, or leave configs/_base_/schemes out of _base_'
            )
        spec = {'type': 'EditPreprocessor', **(data_preprocessor or {})}
        super().__init__(MODELS.build(spec))
        self.channels_last = channels_last

    def translate(self, inputs: Inputs) -> Tensor:
        """Return the predicted images; network range in and out.

        Args:
            inputs: Name -> (N, C, H, W).
        """
        raise NotImplementedError(f'{type(self).__name__} must implement translate')

    def phases(self) -> Sequence[Phase]:
        """Return the optimiser steps of one iteration, in order."""
        return (Phase('generator', 'loss', ('generator',)),)

    def training_only(self) -> set[str]:
        """Return the child networks that no prediction needs: those that only judge."""
        judges = [phase for phase in self.phases() if phase.optimiser == 'discriminator']
        return {name for phase in judges for name in phase.trained}

    def prepare(self, inputs: Inputs) -> Inputs:
        """Compute what several phases share; the default adds nothing.

        Runs before the phases, nothing frozen, in the forward context of the last one: of the
        trainable networks it may call those that the last phase trains.
        """
        return inputs

    def forward(
        self,
        inputs: Inputs,
        data_samples: list[EditSample] | None = None,
        mode: Literal['tensor', 'loss', 'predict'] = 'tensor',
    ) -> Tensor | Losses | list[EditSample]:
        """Run the network on what the preprocessor returned.

        Args:
            inputs: Name -> (N, C, H, W) in the network's range.
            data_samples: One per image; needed for 'predict'.
            mode: 'tensor': the raw output; 'loss': all weighted terms, ``<phase>/<term>``;
                'predict': the samples with ``pred``.
        """
        if mode == 'tensor':
            return self.translate(inputs)
        if mode == 'loss':
            return self.all_losses(inputs)
        if mode == 'predict':
            return self.predict(inputs, data_samples or [])
        raise ValueError(f"mode: expected 'tensor', 'loss' or 'predict', got {mode!r}")

    def all_losses(self, inputs: Inputs) -> Losses:
        """Return the terms of every phase, by the names that training logs."""
        inputs = self.prepare(inputs)
        return {
            f'{phase.loss}/{term}': value
            for phase in self.phases()
            for term, value in getattr(self, phase.loss)(phase.share(inputs)).items()
        }

    @torch.no_grad()
    def predict(self, inputs: Inputs, samples: list[EditSample]) -> list[EditSample]:
        """Fill ``pred`` of every sample: (C, H, W) float32 in [0, 1], unclipped, padding removed.

        Raises:
            ValueError: If there is not one sample per image.
        """
        images = self.data_preprocessor.restore(self.translate(inputs).float())
        for sample, image in zip(samples, images, strict=True):
            sample.set_data({'pred': self.data_preprocessor.crop_back(image, sample)})
        return samples

    def train_step(self, data: Batch, optim_wrapper: OptimWrapper) -> Losses:
        """Preprocess, then run every phase: forward in its context, backward outside, update.

        Returns:
            ``<phase>/<term>`` (weighted) and ``<phase>`` (their sum), detached.
        """
        phases = self.phases()
        wrappers = self._wrappers([phase.optimiser for phase in phases], optim_wrapper)
        inputs = self.data_preprocessor(data, training=True)['inputs']
        with self.forward_context(phases[-1], wrappers):
            inputs = self.prepare(inputs)
        logs: Losses = {}
        for phase in phases:
            logs |= self._run_phase(phase, inputs, wrappers)
        return logs

    def _run_phase(
        self, phase: Phase, inputs: Inputs, wrappers: Mapping[str, OptimWrapper]
    ) -> Losses:
        with self.only_training(phase.trained):
            with self.forward_context(phase, wrappers):
                losses = getattr(self, phase.loss)(phase.share(inputs))
            total = torch.stack(list(losses.values())).sum()
            wrappers[phase.optimiser].update_params(total)
        logs = {f'{phase.loss}/{term}': value.detach() for term, value in losses.items()}
        return {phase.loss: total.detach(), **logs}

    @contextmanager
    def forward_context(self, phase: Phase, wrappers: Mapping[str, OptimWrapper]) -> Iterator[None]:
        """Enter what the phase's optimiser asks for.

        That is mixed precision, and no exchange of gradients between processes while they
        accumulate.
        """
        with ExitStack() as stack:
            for name in phase.trained:
                network = getattr(self, name)
                stack.enter_context(wrappers[phase.optimiser].optim_context(network))
            yield

    @contextmanager
    def only_training(self, names: Sequence[str]) -> Iterator[None]:
        """Freeze all child networks but ``names``; what required gradients before does so after."""
        frozen = [
            parameter
            for name, child in self.named_children()
            if name not in names
            for parameter in child.parameters()
            if parameter.requires_grad
        ]
        try:
            for parameter in frozen:
                parameter.requires_grad_(requires_grad=False)
            yield
        finally:
            for parameter in frozen:
                parameter.requires_grad_(requires_grad=True)

    def _wrappers(
        self, needed: Sequence[str], optim_wrapper: OptimWrapper
    ) -> Mapping[str, OptimWrapper]:
        """Return the optimisers by name; tell those that do not know it how long training is."""
        if not isinstance(optim_wrapper, OptimWrapperDict):
            if len(set(needed)) > 1:
                raise _wrong_optimisers(self, needed, ['one without a name'])
            return {needed[0]: optim_wrapper}
        if set(needed) != set(optim_wrapper.keys()):
            raise _wrong_optimisers(self, needed, list(optim_wrapper.keys()))
        for wrapper in optim_wrapper.values():
            _initialise_counts(wrapper, self)
        return dict(optim_wrapper.items())

    def training_state(self) -> dict[str, Any]:
        """Return what resuming needs beside weights and optimisers: tensors and plain types."""
        return {}

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`training_state` returned."""

    def apply(self, fn: Callable[[nn.Module], Any]) -> EditModel:
        """Call ``fn`` on every module, as torch does; moving to a device goes this way.

        Not through the modules' own ``apply``: that of a noise is the noise.
        """
        for module in reversed(list(self.modules())):
            fn(module)
        return self

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the state with plain keys, also while children are wrapped for DDP."""
        return get_state_dict(self, *args, **kwargs)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load plain keys, also while children are wrapped for DDP."""
        wrapped = [name for name, child in self.named_children() if is_model_wrapper(child)]
        if wrapped:
            state_dict = {_wrapped_key(key, wrapped): v for key, v in state_dict.items()}
        return super().load_state_dict(state_dict, strict=strict, assign=assign)

    def build_network(self, registry: Any, spec: Mapping[str, Any] | nn.Module) -> nn.Module:
        """Return the network of ``spec`` in the layout that this model wants."""
        network = spec if isinstance(spec, nn.Module) else registry.build(dict(spec))
        return network.to(memory_format=torch.channels_last) if self.channels_last else network


def build_losses(specs: Mapping[str, Any]) -> nn.ModuleDict:
    """Return the loss terms by name."""
    return nn.ModuleDict(
        {
            name: spec if isinstance(spec, nn.Module) else LOSSES.build(dict(spec))
            for name, spec in specs.items()
        }
    )


def required(inputs: Inputs, name: str, model: nn.Module) -> Tensor:
    """Return ``inputs[name]``.

    Raises:
        ConfigError: If the batch has no such input; names those it has.
    """
    if name not in inputs:
        raise ConfigError(
            f'{type(model).__name__} needs the input {name!r}; the batch has {", ".join(inputs)}. '
            'Choose a data set that gives it (see docs/architecture.md, data contract)'
        )
    return inputs[name]


def _part(batch: Tensor, index: int, count: int) -> Tensor:
    size, rest = divmod(len(batch), count)
    if rest or not size:
        raise ConfigError(
            f'a batch of {len(batch)} images does not divide into {count} equal parts, one per '
            f'step; set train_dataloader.batch_size to a multiple of {count}'
        )
    return batch[index * size : (index + 1) * size]


def _wrong_optimisers(model: nn.Module, needed: Sequence[str], got: Sequence[str]) -> ConfigError:
    return ConfigError(
        f'optim_wrapper: {type(model).__name__} needs the optimisers '
        f'{", ".join(dict.fromkeys(needed))}, got {", ".join(got)}; write optim_wrapper = '
        "dict(constructor='MultiOptimConstructor', "
        f'{", ".join(f"{name}=dict(...)" for name in dict.fromkeys(needed))})'
    )


def _initialise_counts(wrapper: OptimWrapper, model: nn.Module) -> None:
    """Set the update counts from the runner's; MMEngine leaves them unset for several optimisers.

    Without it, accumulated gradients of the last iterations are lost and counts restart on resume.
    """
    hub = MessageHub.get_current_instance()
    if wrapper._max_counts < 0 and hub.get_info('max_iters') is not None:
        wrapper.initialize_count_status(model, hub.get_info('iter'), hub.get_info('max_iters'))


def _wrapped_key(key: str, wrapped: Sequence[str]) -> str:
    child, dot, rest = key.partition('.')
    return f'{child}.module{dot}{rest}' if child in wrapped else key

"""One network trained on pairs: denoising, super-resolution, any supervised restoration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.base import EditModel, Inputs, Losses, build_losses, required
from noiseedit.models.schemes import Supervised
from noiseedit.registry import GENERATORS, MODELS, SCHEMES


@MODELS.register_module()
class RestorationModel(EditModel):
    """``pred = generator(source)``, trained with the sum of named losses against ``target``.

    A network with ``takes_level = True`` (``FFDNet``) is called as ``generator(source, level)``.

    Args:
        generator: Config of a network, or the network.
        losses: Name -> config of a loss of (pred, target); logged as ``loss/<name>``.
        scheme: Config of a training scheme, such as ``Noise2Void``; None: ``Supervised``.
        kwargs: ``data_preprocessor``, ``channels_last``; see :class:`EditModel`.
    """

    def __init__(
        self,
        generator: Mapping[str, Any] | nn.Module,
        losses: Mapping[str, Any] | None = None,
        scheme: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.generator = self.build_network(GENERATORS, generator)
        self.takes_level: bool = getattr(self.generator, 'takes_level', False)
        self.losses = build_losses(losses or {'pixel': {'type': 'L1Loss'}})
        self.scheme: Supervised = SCHEMES.build(dict(scheme or {'type': 'Supervised'}))

    def translate(self, inputs: Inputs) -> Tensor:
        """Return ``generator(source)``, or ``generator(source, level)``.

        Raises:
            ConfigError: If the network takes a noise level that the preprocessor does not give.
        """
        source = required(inputs, 'source', self)
        if not self.takes_level:
            return self.generator(source)
        if 'level' not in inputs:
            raise ConfigError(
                'the network takes the noise level as an input: set '
                "model.data_preprocessor.noise_level='known' (the level of the noise that the "
                'config adds), or a number of 8-bit units for images that are noisy already'
            )
        return self.generator(source, inputs['level'])

    def prepare(self, inputs: Inputs) -> Inputs:
        """Return what the scheme trains with."""
        return self.scheme.prepare(inputs, self.data_preprocessor)

    def loss(self, inputs: Inputs) -> Losses:
        """Return every named loss, weighted."""
        required(inputs, 'target', self)
        pred, target = self.scheme.compared(self.translate(inputs), inputs)
        return {name: loss(pred, target) for name, loss in self.losses.items()}

"""A generator against a discriminator: pix2pix and what is built on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from noiseedit.models.base import (
    EditModel,
    Inputs,
    Losses,
    Phase,
    build_losses,
    required,
)
from noiseedit.noises import BaseNoise, NoiseSpec, build
from noiseedit.registry import DISCRIMINATORS, GENERATORS, LOSSES, MODELS


@MODELS.register_module()
class AdversarialModel(EditModel):
    """Paired translation with an adversarial loss (Isola et al. 2017, equations 1 to 4).

    One generator pass serves both phases: the discriminator learns on the detached images, then
    the generator from the updated discriminator.

    Args:
        generator: Config of the generator, or the network.
        discriminator: Config of the discriminator, or the network; its ``in_channels`` count the
            source too if ``conditional``.
        gan_loss: Config of the adversarial loss; ``weight`` is the generator's, ``d_weight`` the
            discriminator's factor.
        losses: Name -> config of further generator losses of (generated, target).
        penalty: Config of a loss of (logits, real images) for the discriminator, such as
            ``R1Penalty``; None: none.
        feature_matching: Config of a generator loss of (layers of generated, layers of real
            images), such as ``FeatureMatchingLoss``; the discriminator takes ``layers=True``.
            None: none.
        conditional: Show the discriminator the source beside the image.
        measurement: Noise that generated images pass before the discriminator sees them, when real
            ones are noisy; gradients flow through it. None: none.
        kwargs: ``data_preprocessor``, ``channels_last``; see :class:`EditModel`.
    """

    measurement: BaseNoise | None

    def __init__(
        self,
        generator: Mapping[str, Any] | nn.Module,
        discriminator: Mapping[str, Any] | nn.Module,
        gan_loss: Mapping[str, Any],
        losses: Mapping[str, Any] | None = None,
        *,
        penalty: Mapping[str, Any] | None = None,
        feature_matching: Mapping[str, Any] | None = None,
        conditional: bool = True,
        measurement: NoiseSpec | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.generator = self.build_network(GENERATORS, generator)
        self.discriminator = self.build_network(DISCRIMINATORS, discriminator)
        self.gan_loss = LOSSES.build(dict(gan_loss))
        self.losses = build_losses(losses or {})
        self.penalty = None if penalty is None else LOSSES.build(dict(penalty))
        self.feature_matching = (
            None if feature_matching is None else LOSSES.build(dict(feature_matching))
        )
        self.conditional = conditional
        self.measurement = None if measurement is None else build(measurement)

    def phases(self) -> Sequence[Phase]:
        """Return the discriminator's step, then the generator's."""
        return (
            Phase('discriminator', 'loss_d', ('discriminator',)),
            Phase('generator', 'loss_g', ('generator',)),
        )

    def translate(self, inputs: Inputs) -> Tensor:
        """Return ``generator(source)``."""
        return self.generator(required(inputs, 'source', self))

    def prepare(self, inputs: Inputs) -> Inputs:
        """Add ``fake``, the generated images, and ``measured``, what the discriminator sees."""
        fake = self.translate(inputs)
        return {**inputs, 'fake': fake, 'measured': self.measure(fake)}

    def loss_d(self, inputs: Inputs) -> Losses:
        """Return the discriminator's terms: real, fake and, if asked for, penalty."""
        real = required(inputs, 'target', self)
        if self.penalty is not None:
            real = real.detach().requires_grad_()
        logits = self.judge(inputs, real)
        losses = {
            'real': self.gan_loss.real(logits),
            'fake': self.gan_loss.fake(self.judge(inputs, inputs['measured'].detach())),
        }
        if self.penalty is not None:
            losses['penalty'] = self.penalty(logits, real)
        return losses

    def loss_g(self, inputs: Inputs) -> Losses:
        """Return the generator's terms: gan, features if asked for, and the named losses."""
        fake, target = inputs['fake'], required(inputs, 'target', self)
        if self.feature_matching is None:
            losses = {'gan': self.gan_loss.generator(self.judge(inputs, inputs['measured']))}
        else:
            losses = self.matching_losses(inputs, target, self.feature_matching)
        return losses | {name: loss(fake, target) for name, loss in self.losses.items()}

    def matching_losses(self, inputs: Inputs, target: Tensor, loss: nn.Module) -> Losses:
        """Return gan and features, both from one pass of the discriminator over each image."""
        with torch.no_grad():
            real = self.judge(inputs, target, layers=True)
        fake = self.judge(inputs, inputs['measured'], layers=True)
        logits = [scale[-1] for scale in fake]
        return {'gan': self.gan_loss.generator(logits), 'features': loss(fake, real)}

    def judge(self, inputs: Inputs, image: Tensor, **kwargs: Any) -> Any:
        """Return what the discriminator says of ``image``, given the source if conditional.

        Args:
            inputs: With ``source``, if conditional.
            image: (N, C, H, W) in the network's range.
            kwargs: Passed on: ``layers=True`` asks for all layers of every scale.
        """
        if self.conditional:
            image = torch.cat([inputs['source'], image], dim=1)
        return self.discriminator(image, **kwargs)

    def measure(self, image: Tensor) -> Tensor:
        """Apply the measurement noise; network range in and out, float32, this iteration's stream.

        Raises:
            RuntimeError: If the iteration has no seed.
        """
        if self.measurement is None:
            return image
        preprocessor = self.data_preprocessor
        with torch.autocast(image.device.type, enabled=False):
            clean = preprocessor.restore(image.float())
            noisy = self.measurement(clean, generator=preprocessor.generator)
            return preprocessor.normalise(noisy)

"""CycleGAN: two generators, each undoing the other, and a discriminator per domain.

Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks. ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.base import EditModel, Inputs, Losses, Phase, required
from noiseedit.models.cyclegan.pool import ImagePool
from noiseedit.registry import DISCRIMINATORS, GENERATORS, LOSSES, MODELS
from noiseedit.structures import EditSample

Direction: TypeAlias = Literal['source2target', 'target2source']
Spec: TypeAlias = Mapping[str, Any]


@MODELS.register_module()
class CycleGAN(EditModel):
    """Translation learnt from two sets of images (Zhu et al. 2017, equations 1 to 4).

    ``generator`` makes targets of sources, ``inverse`` sources of targets; ``discriminator`` judges
    targets, ``source_discriminator`` sources. Trained with L_GAN of both directions, the cycle
    losses ``inverse(generator(x)) = x`` and ``generator(inverse(y)) = y``, and, if asked for, the
    identity losses ``generator(y) = y`` and ``inverse(x) = x``. Sources and targets of a batch may
    be pairs or not. Everything sees the source as the network does: with noise injected, the
    discriminator and the cycle too.

    In an iteration the discriminators learn first, then the generators from the updated
    discriminators, on the same images; the paper's code steps in the other order. Image pools are
    part of the training state: resuming continues with them, exactly in one process; with several
    all continue with the pools of the first.

    Args:
        generator: Config of the generator, or the network.
        discriminator: Config of the discriminator of single images, or the network.
        gan_loss: Config of the adversarial loss; ``weight`` is the factor of each generator's
            term, ``d_weight`` that of each discriminator's.
        cycle: Config of a loss of (reconstruction, image), used in both directions.
        identity: Likewise of (generated, image); None: not used.
        inverse: Config of the inverse generator, or the network; None: as ``generator``.
        source_discriminator: Config, or the network; None: as ``discriminator``.
        pool_size: Images in each of the two pools that discriminators see generated images from.
        direction: What predictions are: ``'source2target'`` are targets of sources by
            ``generator``, ``'target2source'`` sources of targets by ``inverse``. For noise on the
            predicted input set ``noise.target`` to it.
        kwargs: ``data_preprocessor``, ``channels_last``; see :class:`EditModel`.

    Raises:
        ConfigError: If a network is given ready-made but not its counterpart, or on another
            ``direction``.
    """

    def __init__(
        self,
        generator: Spec | nn.Module,
        discriminator: Spec | nn.Module,
        gan_loss: Spec,
        cycle: Spec,
        identity: Spec | None = None,
        *,
        inverse: Spec | nn.Module | None = None,
        source_discriminator: Spec | nn.Module | None = None,
        pool_size: int = 50,
        direction: Direction = 'source2target',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if direction not in ('source2target', 'target2source'):
            raise ConfigError(
                f"direction: expected 'source2target' or 'target2source', got {direction!r}"
            )
        self.generator = self.build_network(GENERATORS, generator)
        self.inverse = self.build_network(GENERATORS, _twin(inverse, generator, 'inverse'))
        self.discriminator = self.build_network(DISCRIMINATORS, discriminator)
        other = _twin(source_discriminator, discriminator, 'source_discriminator')
        self.source_discriminator = self.build_network(DISCRIMINATORS, other)
        self.gan_loss = LOSSES.build(dict(gan_loss))
        self.cycle = LOSSES.build(dict(cycle))
        self.identity = None if identity is None else LOSSES.build(dict(identity))
        self.pools = {'target': ImagePool(pool_size), 'source': ImagePool(pool_size)}
        self.direction: Direction = direction

    def phases(self) -> Sequence[Phase]:
        """Return the step of both discriminators, then that of both generators."""
        return (
            Phase('discriminator', 'loss_d', ('discriminator', 'source_discriminator')),
            Phase('generator', 'loss_g', ('generator', 'inverse')),
        )

    def translate(self, inputs: Inputs) -> Tensor:
        """Return ``generator(source)``, or ``inverse(target)`` in the other direction."""
        if self.direction == 'source2target':
            return self.generator(required(inputs, 'source', self))
        return self.inverse(required(inputs, 'target', self))

    @torch.no_grad()
    def predict(self, inputs: Inputs, samples: list[EditSample]) -> list[EditSample]:
        """Fill ``pred``; in the other direction ``input`` is the target and ``gt`` the source."""
        if self.direction == 'target2source':
            for sample in samples:
                sample.set_data({'input': sample.gt, 'gt': sample.input})
        return super().predict(inputs, samples)

    def prepare(self, inputs: Inputs) -> Inputs:
        """Add ``fake_target`` and ``fake_source``, the generated images."""
        source, target = required(inputs, 'source', self), required(inputs, 'target', self)
        fakes = {'fake_target': self.generator(source), 'fake_source': self.inverse(target)}
        return {**inputs, **fakes}

    def loss_d(self, inputs: Inputs) -> Losses:
        """Return the terms of both discriminators; generated images come through the pools."""
        losses = {}
        for domain, judge in self._judges().items():
            fake = self._pooled(domain, inputs[f'fake_{domain}'])
            losses[f'{domain}_real'] = self.gan_loss.real(judge(inputs[domain]))
            losses[f'{domain}_fake'] = self.gan_loss.fake(judge(fake))
        return losses

    def loss_g(self, inputs: Inputs) -> Losses:
        """Return the generators' terms: gan and cycle, and identity if asked for, per domain."""
        losses = {
            f'{domain}_gan': self.gan_loss.generator(judge(inputs[f'fake_{domain}']))
            for domain, judge in self._judges().items()
        }
        source, target = inputs['source'], inputs['target']
        losses['source_cycle'] = self.cycle(self.inverse(inputs['fake_target']), source)
        losses['target_cycle'] = self.cycle(self.generator(inputs['fake_source']), target)
        if self.identity is not None:
            losses['source_identity'] = self.identity(self.inverse(source), source)
            losses['target_identity'] = self.identity(self.generator(target), target)
        return losses

    def _judges(self) -> dict[str, nn.Module]:
        return {'target': self.discriminator, 'source': self.source_discriminator}

    def _pooled(self, domain: str, fake: Tensor) -> Tensor:
        """Return images of the pool in training, the images themselves otherwise."""
        pool = self.pools[domain]
        if not (self.training and pool.size):
            return fake.detach()
        return pool.exchange(fake, self.data_preprocessor.generator)

    def training_state(self) -> dict[str, Any]:
        """Return the images of both pools."""
        return {'pools': {domain: list(pool.images) for domain, pool in self.pools.items()}}

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Continue with the images of both pools."""
        for domain, images in state.get('pools', {}).items():
            self.pools[domain].load(images, self.data_preprocessor.device)


def _twin(given: Any, model: Any, name: str) -> Any:
    """Return the config of the counterpart: ``given``, or that of the network that it mirrors."""
    if given is None and isinstance(model, nn.Module):
        raise ConfigError(
            f'{name}: expected a config or a network, got None; it can only be left out where its '
            'counterpart is given as a config'
        )
    return model if given is None else given

"""From a generated clean image to a generated noisy one: learnt, simulated, or not at all.

A degradation is a module ``(image, latent, generator) -> Degraded``; a method of one's own
registers one and puts it into ``model.degradation``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.nr_gan.settings import DataNoise, law_of, released_form
from noiseedit.noises import NoiseSpec, build
from noiseedit.noises.random import normal
from noiseedit.registry import GENERATORS, LOSSES, MODELS

Spec = Mapping[str, Any]


class Degraded(NamedTuple):
    """What a degradation made of generated images.

    Attributes:
        image: Noisy images (N, C, H, W) around [-1, 1], not clamped.
        noise: The noise before any constraint, of the same shape; None: not defined.
        penalties: Name -> weighted scalar, added to the generator's loss; empty where gradients
            are off.
        scale: sigma of a prior, of the shape of the image; None: without a prior.
    """

    image: Tensor
    noise: Tensor | None
    penalties: dict[str, Tensor]
    scale: Tensor | None = None


@MODELS.register_module()
class NoDegradation(nn.Module):
    """Leave images as they are: a GAN that imitates its data, noise included."""

    def forward(self, image: Tensor, latent: Tensor, generator: torch.Generator) -> Degraded:
        """Return the images."""
        return Degraded(image, None, {})


@MODELS.register_module()
class SimulatedNoise(nn.Module):
    """Noise of a known law (AmbientGAN; Bora, Price, Dimakis, ICLR 2018).

    Args:
        noise: Spec of the noise; None: that of the training data.
        data_noise: Spec of the training noise; filled from ``config.noise``. None: no noise.
        exact: Apply the noise itself, Poisson counts straight-through, instead of the form of
            NR-GAN's released code; see :func:`noiseedit.models.nr_gan.settings.released_form`. A
            ``noise`` of its own is always applied as it is.

    Raises:
        ConfigError: If no gradient passes through the noise.
    """

    def __init__(
        self, noise: NoiseSpec | None = None, *, data_noise: DataNoise = None, exact: bool = False
    ) -> None:
        super().__init__()
        law = law_of(data_noise) if noise is None else build(noise)
        if law is not None and noise is None and not exact:
            law = released_form(law)
        if law is not None and law.gradient == 'none':
            raise ConfigError(f'{law}: no gradient passes through it, so no generator can learn')
        self.noise = law

    def forward(self, image: Tensor, latent: Tensor, generator: torch.Generator) -> Degraded:
        """Return the noisy images."""
        if self.noise is None:
            return Degraded(image, None, {})
        with torch.autocast(image.device.type, enabled=False):
            noisy = self.noise(image.float() / 2 + 0.5, generator=generator)
        return Degraded(noisy * 2 - 1, None, {})


@MODELS.register_module()
class LearnedNoise(nn.Module):
    """Noise of a second generator (NR-GAN; Kaneko and Harada, CVPR 2020).

    ``n = prior(G_n(z_n), x)``, or ``G_n(z_n)`` without a prior; the constraints follow in order:
    ``y = x + T(n)``. ``z_n`` is normal; with ``implicit`` its first entries are those of the
    image's own latent, so that noise can follow the image without a known relation.

    Args:
        network: Config of G_n, or the network: a generator from ``latent_channels`` to the shape of
            the image.
        prior: Config of the prior, whose scale the network then gives; None: the network gives the
            noise itself.
        constraints: Configs of transformations of the noise.
        implicit: Share the image's latent.
        diversity: Config of a loss of (noise, z_n) such as ``DiversityLoss``; None: none.
    """

    def __init__(
        self,
        network: Spec | nn.Module,
        prior: Spec | None = None,
        constraints: Sequence[Spec] = (),
        *,
        implicit: bool = False,
        diversity: Spec | None = None,
    ) -> None:
        super().__init__()
        self.network: Any = (
            network if isinstance(network, nn.Module) else GENERATORS.build(dict(network))
        )
        self.prior = None if prior is None else MODELS.build(dict(prior))
        self.constraints = nn.ModuleList([MODELS.build(dict(spec)) for spec in constraints])
        self.implicit = implicit
        self.diversity = None if diversity is None else LOSSES.build(dict(diversity))

    def forward(self, image: Tensor, latent: Tensor, generator: torch.Generator) -> Degraded:
        """Return the noisy images.

        Args:
            image: x, (N, C, H, W) in [-1, 1].
            latent: z_x, (N, d), from which ``image`` was generated.
            generator: Source of all randomness.

        Raises:
            ConfigError: If the network's latent has no room for the image's.
        """
        own = self.latent(latent, generator)
        output = self.network(own).float()
        noise = output if self.prior is None else self.prior(output, image, generator)
        shown = noise
        for constraint in self.constraints:
            shown = constraint(shown, generator)
        scale = None if self.prior is None else output
        return Degraded(image.float() + shown, noise, self.penalties(noise, own), scale)

    def latent(self, latent: Tensor, generator: torch.Generator) -> Tensor:
        """Return z_n of images with these latents, (N, ``network.latent_channels``)."""
        own = normal((len(latent), self.network.latent_channels), generator).to(latent.device)
        if not self.implicit:
            return own
        shared = latent.shape[1]
        if shared >= own.shape[1]:
            raise ConfigError(
                f'LearnedNoise: implicit needs network.latent_channels > {shared}, the length of '
                f'the latent of the image; got {own.shape[1]}'
            )
        return torch.cat([latent, own[:, shared:]], dim=1)

    def penalties(self, noise: Tensor, latent: Tensor) -> dict[str, Tensor]:
        """Return the weighted terms of the generator's loss that concern the noise."""
        if self.diversity is None or not torch.is_grad_enabled():
            return {}
        return {'diversity': self.diversity(noise, latent)}

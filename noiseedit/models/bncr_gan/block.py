"""What learnt degradations that lose information have in common.

Kaneko, Harada: Blur, Noise, and Compression Robust Generative Adversarial Networks. CVPR 2021. No
code of it is published: all formulas here are our reading of its abstract, which has generators
of blur kernels, noise and quality factors, masks that set the strength of a degradation by
bypassing it, and consistency losses weighted by the strength of the degradation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.nr_gan.degradation import Degraded
from noiseedit.noises.random import normal
from noiseedit.registry import GENERATORS

Spec = Mapping[str, Any]


class LearnedLoss(nn.Module):
    """Base of degradations whose parameters a generator draws, image by image.

    Penalty (our reading): ``weight * mean_i exp(-mu s_i) mean (x_i - D_i(x_i))^2``, x_i the clean
    image, s_i the strength of its degradation D_i: where little is lost, little may change. The
    factor exp(-mu s) passes no gradient: no reward for losing more.

    Args:
        network: Config of the generator of parameters, or the network.
        size: Numbers that it must give.
        weight: Factor of the penalty; 0: none.
        mu: How fast the penalty fades with strength.

    Raises:
        ConfigError: If the network gives another number of parameters.
    """

    name = ''

    def __init__(
        self, network: Spec | nn.Module, size: int, weight: float = 1.0, mu: float = 1.0
    ) -> None:
        super().__init__()
        built: Any = network
        self.network = built if isinstance(built, nn.Module) else GENERATORS.build(dict(built))
        self.weight, self.mu = weight, mu
        if self.network.out_features != size:
            raise ConfigError(
                f'{type(self).__name__}: network.out_features: expected {size}, got '
                f'{self.network.out_features}'
            )

    @abstractmethod
    def degrade(self, image: Tensor, drawn: Tensor) -> Tensor:
        """Return degraded images of (N, C, H, W) in [-1, 1], by the network's output."""

    @abstractmethod
    def difference(self, clean: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``x - D(x)`` (N, C, H, W) and the strength of D (N,)."""

    def forward(
        self,
        image: Tensor,
        latent: Tensor,
        generator: torch.Generator,
        clean: Tensor | None = None,
    ) -> Degraded:
        """Return degraded images.

        Args:
            image: (N, C, H, W) in [-1, 1], degraded by earlier steps or not.
            latent: That of the image; only its length counts.
            generator: Source of all randomness.
            clean: The images before all steps; None: ``image``.
        """
        size = (len(latent), self.network.latent_channels)
        drawn = self.network(normal(size, generator).to(latent.device)).float()
        with torch.autocast(image.device.type, enabled=False):
            made = self.degrade(image.float(), drawn)
            whole = image if clean is None else clean
            return Degraded(made, None, self.penalties(whole.float(), drawn))

    def penalties(self, clean: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        """Return the weighted consistency loss; nothing without gradients or weight."""
        if not (self.weight and torch.is_grad_enabled()):
            return {}
        change, strength = self.difference(clean, drawn)
        factor = torch.exp(-self.mu * strength.detach())
        return {self.name: self.weight * (factor * change.square().flatten(1).mean(1)).mean()}

"""What a noise is assumed to be, given its scale: Gaussian, independent or dependent on the image.

Priors of Kaneko and Harada (CVPR 2020) by reparameterisation. Images are in [-1, 1], a range of
width 2; ``xt = x / 2 + 0.5`` is the image in [0, 1], without gradient. Draws are fresh per element.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.nr_gan.settings import DataNoise, Relation, law_of, relation_of
from noiseedit.noises.random import normal_like
from noiseedit.registry import MODELS

RANGE_WIDTH = 2.0


@MODELS.register_module()
class AdditiveGaussianPrior(nn.Module):
    """Noise that ignores the image: ``n = sigma * eps``, eps ~ N(0, 1)."""

    def forward(self, scale: Tensor, image: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise, (N, C, H, W).

        Args:
            scale: sigma, (N, C, H, W); its sign is irrelevant.
            image: (N, C, H, W) in [-1, 1].
            generator: Source of eps.
        """
        return scale * normal_like(scale, generator)


@MODELS.register_module()
class MultiplicativeGaussianPrior(nn.Module):
    """Noise in proportion to the image: ``n = 2 * sigma * xt * eps``, eps ~ N(0, 1)."""

    def forward(self, scale: Tensor, image: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise; see :class:`AdditiveGaussianPrior`."""
        return RANGE_WIDTH * unit_range(image) * scale * normal_like(scale, generator)


@MODELS.register_module()
class PoissonPrior(nn.Module):
    """Photon noise, approximated: ``n = 2 * sigma * sqrt(xt) * eps``, eps ~ N(0, 1).

    ``sigma^2 = 1 / peak`` of the Poisson noise.
    """

    def forward(self, scale: Tensor, image: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise; see :class:`AdditiveGaussianPrior`."""
        return RANGE_WIDTH * unit_range(image).sqrt() * scale * normal_like(scale, generator)


SIGNAL_PRIORS: dict[str, type[nn.Module]] = {
    'multiplicative': MultiplicativeGaussianPrior,
    'poisson': PoissonPrior,
}


@MODELS.register_module()
class SignalPrior(nn.Module):
    """The prior that fits the noise of the training data (SD-NR-GAN-I).

    :class:`MultiplicativeGaussianPrior` for multiplicative noise, :class:`PoissonPrior` for Poisson
    noise, also where additive noise comes with it, as in the paper's experiments.

    Args:
        relation: ``'multiplicative'`` or ``'poisson'``; None: that of ``data_noise``.
        data_noise: Spec of the training noise; filled from ``config.noise``.

    Raises:
        ConfigError: On another relation; without one, if the noise of the data is missing, or does
            not depend on the image in one of these ways.
    """

    def __init__(self, relation: Relation | None = None, *, data_noise: DataNoise = None) -> None:
        super().__init__()
        relation = relation_of(law_of(data_noise)) if relation is None else relation
        if relation not in SIGNAL_PRIORS:
            raise ConfigError(
                f'SignalPrior: relation: expected {", ".join(SIGNAL_PRIORS)} or None, '
                f'got {relation!r}'
            )
        self.prior = SIGNAL_PRIORS[relation]()

    def forward(self, scale: Tensor, image: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise; see :class:`AdditiveGaussianPrior`."""
        return self.prior(scale, image, generator)


def unit_range(image: Tensor) -> Tensor:
    """Return an image of [-1, 1] in [0, 1], without gradient; values below count as 0."""
    return image.detach().float().mul(0.5).add_(0.5).clamp_(min=0)

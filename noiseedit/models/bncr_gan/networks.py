"""A generator of a few numbers: a blur kernel, a quality."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from noiseedit.models.nr_gan.networks import check_latent
from noiseedit.registry import GENERATORS


@GENERATORS.register_module()
class VectorGenerator(nn.Module):
    """A latent to a vector: linear layers with ReLU between. Sizes are our choice.

    Args:
        out_features: Length of the vector.
        latent_channels: Length of the latent.
        channels: Features of the hidden layers.
        layers: Linear layers, at least one.

    Shape:
        (N, latent_channels) -> (N, out_features), unbounded.
    """

    def __init__(
        self, out_features: int, latent_channels: int = 128, channels: int = 128, layers: int = 3
    ) -> None:
        super().__init__()
        self.latent_channels, self.out_features = latent_channels, out_features
        sizes = [latent_channels, *[channels] * (layers - 1), out_features]
        steps: list[nn.Module] = []
        for before, after in pairwise(sizes):
            steps += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*steps[:-1])

    def forward(self, latent: Tensor) -> Tensor:
        """Return the vectors of latents."""
        check_latent('VectorGenerator', latent, self.latent_channels)
        return self.layers(latent)

"""Transformations under which noise is assumed to stay the same, and images are not.

The constraints of SI-NR-GAN-II and SD-NR-GAN-III (Kaneko and Harada, CVPR 2020). Each draws anew
for every sample, changes generated noise alone and lets gradients through.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.noises.random import integers, uniform
from noiseedit.registry import MODELS


@MODELS.register_module()
class NoiseRotation(nn.Module):
    """Rotate by 0, 90, 180 or 270 degrees, each with probability 1/4; all channels alike."""

    def forward(self, noise: Tensor, generator: torch.Generator) -> Tensor:
        """Return rotated noise.

        Args:
            noise: (N, C, H, H).
            generator: Decides.

        Raises:
            ConfigError: If height and width differ.
        """
        if noise.shape[-1] != noise.shape[-2]:
            raise ConfigError(
                f'NoiseRotation: expected square images, got {tuple(noise.shape[-2:])}; leave it '
                'out of model.degradation.constraints'
            )
        turns = integers((len(noise), 1, 1, 1), 0, 3, generator).to(noise.device)
        return rotate(noise, turns)


@MODELS.register_module()
class NoiseChannelShuffle(nn.Module):
    """Put the channels in random order, all orders equally likely."""

    def forward(self, noise: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise (N, C, H, W) with its channels in another order."""
        order = uniform(noise.shape[:2], generator).argsort(1).to(noise.device)
        return noise.gather(1, order[:, :, None, None].expand_as(noise))


@MODELS.register_module()
class NoiseColorInversion(nn.Module):
    """Flip the sign of every channel on its own with probability 1/2."""

    def forward(self, noise: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise (N, C, H, W) with some channels negated."""
        signs = integers((*noise.shape[:2], 1, 1), 0, 1, generator).to(noise)
        return noise * (2 * signs - 1)


def rotate(image: Tensor, turns: Tensor) -> Tensor:
    """Return every image rotated counter-clockwise, as ``torch.rot90`` does.

    Args:
        image: (N, C, H, H).
        turns: Quarter turns 0 to 3, (N, 1, 1, 1).
    """
    image = torch.where(turns % 2 == 1, image.transpose(2, 3), image)
    image = torch.where((turns == 1) | (turns == 2), image.flip(2), image)
    return torch.where(turns >= 2, image.flip(3), image)

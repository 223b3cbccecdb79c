"""The convolutional pyramid that encodes both the image and its coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from noiseedit.networks.layers import init_xavier


class Pyramid(nn.Module):
    """A 7x7 convolution (reflect padding), then 4x4 convolutions of stride 2; all levels out.

    Every convolution has an affine instance norm and a leaky ReLU (0.2) behind it.

    Args:
        in_channels: Channels of the input.
        channels: Per level, the finest first.

    Shape:
        (N, in_channels, H, W), H and W multiples of ``2 ** (levels - 1)`` -> per level
        (N, channels[level], H / 2**level, W / 2**level).
    """

    def __init__(self, in_channels: int, channels: Sequence[int]) -> None:
        super().__init__()
        convs = [nn.Conv2d(in_channels, channels[0], 7, padding=3, padding_mode='reflect')]
        for before, after in pairwise(channels):
            convs.append(nn.Conv2d(before, after, 4, stride=2, padding=1))
        self.levels = nn.ModuleList(_level(conv) for conv in convs)
        init_xavier(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features of every level, the finest first."""
        features = []
        for level in self.levels:
            x = level(x)
            features.append(x)
        return features


def _level(conv: nn.Conv2d) -> nn.Sequential:
    norm = nn.InstanceNorm2d(conv.out_channels, affine=True)
    return nn.Sequential(conv, norm, nn.LeakyReLU(0.2, inplace=True))

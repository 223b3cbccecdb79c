"""NAFNet: a U-Net of blocks without nonlinear activation functions.

Chen, Chu, Zhang, Sun: Simple Baselines for Image Restoration. ECCV 2022, figures 2 and 3 and
section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.networks.layers import check_input
from noiseedit.registry import GENERATORS


@GENERATORS.register_module()
class NAFNet(nn.Module):
    """Add to the image what a U-Net of gated blocks finds: ``x + F(x)``.

    The defaults are the network published for SIDD at width 32. Other sizes than multiples of
    ``2 ** len(encoder)`` are padded with zeros, as published, and cut back.

    Args:
        in_channels: 1 (grey) or 3 (colour); the output has as many.
        width: Channels at full size; every level down has twice as many. 32: 29,159,715
            parameters; 64: 115,982,915.
        encoder: Blocks per level on the way down.
        middle: Blocks at the smallest size.
        decoder: Blocks per level on the way up, the smallest first.

    Shape:
        (N, in_channels, H, W) in [0, 1] -> the same; neither is clipped.
    """

    def __init__(
        self,
        in_channels: int = 3,
        width: int = 32,
        encoder: Sequence[int] = (2, 2, 4, 8),
        middle: int = 12,
        decoder: Sequence[int] = (2, 2, 2, 2),
    ) -> None:
        super().__init__()
        if len(encoder) != len(decoder):
            raise ValueError(
                'NAFNet: encoder and decoder need as many levels, '
                f'got {list(encoder)} and {list(decoder)}'
            )
        self.in_channels, self.multiple = in_channels, 2 ** len(encoder)
        widths = [width * 2**level for level in range(len(encoder) + 1)]
        down, up = widths[:-1], widths[:0:-1]
        self.intro = nn.Conv2d(in_channels, width, 3, padding=1)
        self.ending = nn.Conv2d(width, in_channels, 3, padding=1)
        self.encoders = nn.ModuleList(map(_blocks, down, encoder))
        self.downs = nn.ModuleList(nn.Conv2d(w, 2 * w, 2, stride=2) for w in down)
        self.middle_blks = _blocks(widths[-1], middle)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(w, 2 * w, 1, bias=False), nn.PixelShuffle(2)) for w in up
        )
        self.decoders = nn.ModuleList(_blocks(w // 2, n) for w, n in zip(up, decoder, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """Return the restored image."""
        check_input('NAFNet', x, self.in_channels)
        height, width = x.shape[-2:]
        padded = functional.pad(x, (0, -width % self.multiple, 0, -height % self.multiple))
        y, skips = self.intro(padded), []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            skips.append(encoder(y))
            y = down(skips[-1])
        y = self.middle_blks(y)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            y = decoder(up(y) + skips.pop())
        return (padded + self.ending(y))[..., :height, :width]


class NAFBlock(nn.Module):
    """Depthwise convolution with channel attention, then a pointwise part; gates for activations.

    Each part is added to its input times a factor per channel, which starts at 0.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, 2 * width, 1)
        self.conv2 = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.conv3 = nn.Conv2d(width, width, 1)
        self.sca = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, width, 1))
        self.conv4 = nn.Conv2d(width, 2 * width, 1)
        self.conv5 = nn.Conv2d(width, width, 1)
        self.norm1, self.norm2 = ChannelNorm(width), ChannelNorm(width)
        self.beta = nn.Parameter(torch.zeros(1, width, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the features after both parts."""
        inner = gate(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.beta * self.conv3(inner * self.sca(inner))
        return x + self.gamma * self.conv5(gate(self.conv4(self.norm2(x))))


class ChannelNorm(nn.Module):
    """Layer norm over the channels of every pixel, eps 1e-6."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return weight * (x - mean) / std + bias."""
        last = x.permute(0, 2, 3, 1)
        normed = functional.layer_norm(last, last.shape[-1:], self.weight, self.bias, 1e-6)
        return normed.permute(0, 3, 1, 2)


def gate(x: Tensor) -> Tensor:
    """Return the product of the first half of the channels with the second."""
    first, second = x.chunk(2, 1)
    return first * second


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(NAFBlock(width) for _ in range(count)))

"""The generator of NoiseTransfer: noise for a clean image, of the kind that a condition says."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.models.noise_transfer.layers import Conv, Up, as_image, from_condition
from noiseedit.networks.layers import check_input
from noiseedit.noises.random import Generator, normal
from noiseedit.registry import GENERATORS

MULTIPLE = 4


@GENERATORS.register_module()
class VUNet(nn.Module):
    """Return the noise ``G(clean, k)``; the noisy image is ``clean + G(clean, k)``.

    A U-Net of three sizes whose residual blocks are scaled and shifted by the condition; every
    shift also sees a fresh map of N(0, 1), 32 in one forward pass. Sides that are no multiples of 4
    are padded by reflection and cut back. 7,384,832 parameters at width 64.

    Args:
        width: Channels at full size; twice and four times as many at the smaller ones.

    Shape:
        clean (N, 3, H, W) in [0, 1], condition (N, 128) -> noise (N, 3, H, W), not clipped.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        one, two, four = width, 2 * width, 4 * width
        self.conv_first = Conv(3, one)
        self.blocks1 = _blocks(one, 4)
        self.conv_down1 = Conv(one, two, 4)
        self.blocks2 = _blocks(two, 3)
        self.conv_down2 = Conv(two, four, 4)
        self.blocks3 = _blocks(four, 2)
        self.conv_up2 = Up(four, two)
        self.conv_skip2 = Conv(2 * two, two, active=True)
        self.blocks2_ = _blocks(two, 3)
        self.conv_up1 = Up(two, one)
        self.conv_skip1 = Conv(2 * one, one, active=True)
        self.blocks1_ = _blocks(one, 4)
        self.conv_last = Conv(one, 3, 1, active=True)

    def forward(self, clean: Tensor, condition: Tensor, generator: Generator) -> Tensor:
        """Return the noise.

        Args:
            clean: (N, 3, H, W) in [0, 1].
            condition: (N, 128), from ``ContraE.encode``.
            generator: Source of the 32 random maps: a ``torch.Generator``, or one stream per image.
        """
        check_input('VUNet', clean, 3)
        height, width = clean.shape[-2:]
        k = as_image(condition)
        y = self.conv_first(_padded(clean) * 2 - 1)
        skip1 = y = _run(self.blocks1, y, k, generator)
        skip2 = y = _run(self.blocks2, self.conv_down1(y), k, generator)
        y = self.conv_up2(_run(self.blocks3, self.conv_down2(y), k, generator))
        y = self.conv_skip2(torch.cat([y, skip2], 1))
        y = self.conv_up1(_run(self.blocks2_, y, k, generator))
        y = self.conv_skip1(torch.cat([y, skip1], 1))
        return self.conv_last(_run(self.blocks1_, y, k, generator))[..., :height, :width]


class Block(nn.Module):
    """Twice: scale and shift by the condition, leaky ReLU, 3x3 convolution; plus the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sft1, self.sft2 = Modulation(width), Modulation(width)
        self.conv1, self.conv2 = Conv(width, width, active=True), Conv(width, width, active=True)

    def forward(self, x: Tensor, k: Tensor, generator: Generator) -> Tensor:
        """Return the features after the block."""
        y = self.conv1(self.sft1(x, k, generator))
        return x + self.conv2(self.sft2(y, k, generator))


class Modulation(nn.Module):
    """``x (1 + gamma(k)) + beta(k, n)`` with a fresh map n of N(0, 1) (SFT layer)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs_gamma = from_condition(width)
        self.convs_beta = from_condition(width, extra=1)

    def forward(self, x: Tensor, k: Tensor, generator: Generator) -> Tensor:
        """Return the features scaled and shifted; gamma is the same at every pixel."""
        gamma = self.convs_gamma[1](self.convs_gamma[0](k))
        noise = normal((len(x), 1, *x.shape[2:]), generator).to(x)
        return x * (1 + gamma) + self.convs_beta[1](self._hidden_shift(k, noise))

    def _hidden_shift(self, k: Tensor, noise: Tensor) -> Tensor:
        """Return the first convolution of (k at every pixel, noise) without such an image of k.

        It is linear: the part of k is computed at one pixel, that of the noise is an outer product.
        """
        first = self.convs_beta[0]
        of_condition = first(torch.cat([k, torch.zeros_like(k[:, :1])], 1))
        weight = first.conv2d.weight[:, -1].view(1, -1, 1, 1)  # as normalised by the call above
        return of_condition + weight.to(noise.dtype) * noise


def _blocks(width: int, count: int) -> nn.ModuleList:
    return nn.ModuleList(Block(width) for _ in range(count))


def _run(blocks: nn.ModuleList, x: Tensor, k: Tensor, generator: Generator) -> Tensor:
    for block in blocks:
        x = block(x, k, generator)
    return x


def _padded(image: Tensor) -> Tensor:
    bottom, right = (-side % MULTIPLE for side in image.shape[-2:])
    mode = 'reflect' if bottom < image.shape[-2] and right < image.shape[-1] else 'replicate'
    return functional.pad(image, (0, right, 0, bottom), mode=mode) if bottom or right else image

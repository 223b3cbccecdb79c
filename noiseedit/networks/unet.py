"""The U-Net generator of pix2pix.

Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks.
CVPR 2017, appendix 6.1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from noiseedit.networks.layers import Norm, check_input, init_normal, needs_bias, norm2d
from noiseedit.registry import GENERATORS

DROPOUT_LEVELS = 3  # the decoder's deepest levels that drop out


@GENERATORS.register_module()
class UNetGenerator(nn.Module):
    """Encoder of 4x4 stride-2 convolutions, mirrored decoder, skip connections at every level.

    Args:
        in_channels: Channels of the source.
        out_channels: Channels of the result.
        num_downs: Levels; the sides of the image must be multiples of ``2 ** num_downs``, and one
            of exactly that size is reduced to one pixel. 8 for 256x256, 5 for 32x32.
        width: Channels of the first level; they double up to eight times that.
        norm: Normalisation of all levels but the first, the deepest and the output.
        dropout: Probability in the three deepest decoder levels; active in training mode only.

    Shape:
        (N, in_channels, H, W) in [-1, 1] -> (N, out_channels, H, W) in (-1, 1).

    Note:
        54,414,531 parameters for 3 -> 3 channels, 8 levels, batch norm. Convolutions that no norm
        follows have a bias. Released PyTorch weights have none on the first and the deepest
        encoder level (576 parameters less): zeros there give the same function. The paper keeps
        dropout and batch statistics at test time; here evaluation is deterministic.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        num_downs: int = 8,
        width: int = 64,
        norm: Norm = 'batch',
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if num_downs < 2:
            raise ValueError(f'UNetGenerator: num_downs must be at least 2, got {num_downs}')
        self.in_channels, self.multiple = in_channels, 2**num_downs
        wide = [width * min(2**level, 8) for level in range(num_downs)]
        norms: list[Norm] = ['none', *[norm] * (num_downs - 2), 'none']
        self.down = nn.ModuleList(
            _down(i, o, kind, first=level == 0)
            for level, (i, o, kind) in enumerate(
                zip([in_channels, *wide[:-1]], wide, norms, strict=True)
            )
        )
        ups: list[nn.Module] = []
        for level in reversed(range(1, num_downs)):
            drop = dropout if level >= num_downs - DROPOUT_LEVELS else 0
            skip = 1 if level == num_downs - 1 else 2
            ups.append(_up(skip * wide[level], wide[level - 1], norm, drop))
        self.up = nn.ModuleList(ups)
        self.out = nn.Sequential(
            nn.ReLU(inplace=True), nn.ConvTranspose2d(2 * width, out_channels, 4, 2, 1), nn.Tanh()
        )
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the translated image."""
        check_input('UNetGenerator', x, self.in_channels, self.multiple)
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = skips.pop()
        for up in self.up:
            x = torch.cat([skips.pop(), up(x)], dim=1)
        return self.out(x)


def _down(in_channels: int, out_channels: int, norm: Norm, *, first: bool) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=needs_bias(norm))
    before = [] if first else [nn.LeakyReLU(0.2)]
    return nn.Sequential(*before, conv, norm2d(norm, out_channels))


def _up(in_channels: int, out_channels: int, norm: Norm, dropout: float) -> nn.Sequential:
    conv = nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=needs_bias(norm))
    after = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(nn.ReLU(inplace=True), conv, norm2d(norm, out_channels), *after)

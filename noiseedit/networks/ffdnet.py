"""FFDNet: denoising at a given noise level, on four interleaved sub-images.

Zhang, Zuo, Zhang: FFDNet: Toward a Fast and Flexible Solution for CNN-Based Image Denoising. IEEE
TIP 2018, figure 1.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.networks.layers import check_input, from_sub_images, to_sub_images
from noiseedit.registry import GENERATORS

PUBLISHED = {1: (15, 64), 3: (12, 96)}  # channels -> convolutions, hidden channels
COVARIANCE = (1.0, 0.0, 1.0, 0.0, 0.0, 1.0)  # RR, RG, GG, RB, GB, BB of white noise


@GENERATORS.register_module()
class FFDNet(nn.Module):
    """Return the clean image from the noisy one and its noise level: ``F(unshuffle(x), level)``.

    The image is taken apart into four sub-images of half the size; with the level as further
    channels they go through ``depth`` 3x3 convolutions with ReLU between and no norm, and are put
    together again. Odd sides are padded by replication and cut back.

    Args:
        in_channels: 1 (grey) or 3 (colour); the output has as many.
        depth: Number of convolutions; None: 15 for grey, 12 for colour, as published.
        width: Channels of the hidden layers; None: 64 for grey, 96 for colour.
        level_channels: Channels of the level: 1; 3 (one sigma per colour); or 6 (element-wise
            square root of the colours' covariance: RR, RG, GG, RB, GB, BB).
        residual: The layers give the noise, which is subtracted, as in early releases.

    Shape:
        image (N, in_channels, H, W) in [0, 1] -> the same, neither is clipped. The level is the
        standard deviation in [0, 1], trained from 0 to 75 / 255: (N or 1, 1 or level_channels,
        h, w), with 1 x 1 for the whole image or H x W for a map, whose 2 x 2 means are used.
    """

    takes_level = True

    def __init__(
        self,
        in_channels: int = 1,
        depth: int | None = None,
        width: int | None = None,
        level_channels: int = 1,
        *,
        residual: bool = False,
    ) -> None:
        super().__init__()
        published = PUBLISHED.get(in_channels, PUBLISHED[3])
        depth, width = depth or published[0], width or published[1]
        if depth < 2 or level_channels not in (1, 3, 6):
            raise ValueError(
                'FFDNet: expected depth >= 2 and level_channels of 1, 3 or 6, '
                f'got depth={depth}, level_channels={level_channels}'
            )
        self.in_channels, self.level_channels = in_channels, level_channels
        self.residual = residual
        widths = [4 * in_channels + level_channels, *[width] * (depth - 1), 4 * in_channels]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers[:-1])
        _init(self.body)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """Return the denoised image."""
        check_input('FFDNet', x, self.in_channels)
        parts = to_sub_images(x, 2)
        maps = self._maps(level.to(parts), x)
        found = self.body(torch.cat([parts, maps.expand(len(x), -1, *parts.shape[-2:])], 1))
        image = from_sub_images(found, 2, x.shape[-2:])
        return x - image if self.residual else image

    def _maps(self, level: Tensor, x: Tensor) -> Tensor:
        """Return the level with all its channels, at half the size of ``x`` or 1 x 1."""
        fits = level.ndim == 4 and len(level) in (1, len(x))
        channels = (1, self.level_channels)
        sizes = ((1, 1), tuple(x.shape[-2:]))
        if not fits or level.shape[1] not in channels or tuple(level.shape[-2:]) not in sizes:
            raise ValueError(
                f'FFDNet: level: expected ({len(x)}, {self.level_channels}, 1, 1) or a map of '
                f'{x.shape[-2]}x{x.shape[-1]}, got {tuple(level.shape)}'
            )
        if level.shape[1] < self.level_channels:
            white = level.new_tensor(COVARIANCE if self.level_channels == 6 else [1.0] * 3)
            level = level * white.view(1, -1, 1, 1)
        if tuple(level.shape[-2:]) == (1, 1):
            return level
        odd = (0, level.shape[-1] % 2, 0, level.shape[-2] % 2)
        return functional.avg_pool2d(functional.pad(level, odd, mode='replicate'), 2)


def _init(body: nn.Sequential) -> None:
    """Orthogonal weights that keep the second moment through ReLU; no bias."""
    convolutions = [layer for layer in body if isinstance(layer, nn.Conv2d)]
    for conv in convolutions:
        gain = 1.0 if conv is convolutions[-1] else math.sqrt(2)
        nn.init.orthogonal_(conv.weight, gain=gain)
        if conv.bias is not None:
            nn.init.zeros_(conv.bias)

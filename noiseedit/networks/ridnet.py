"""RIDNet: denoising with feature attention.

Anwar, Barnes: Real Image Denoising with Feature Attention. ICCV 2019, figures 2 and 3. The variant
'g' is the denoiser of NoiseTransfer (Lee, Kim: ACCV 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.networks.layers import check_input
from noiseedit.registry import GENERATORS


@GENERATORS.register_module()
class RIDNet(nn.Module):
    """Add what four blocks of enhancement and attention find: ``x + tail(blocks(head(x)))``.

    Any size; 3x3 zero-padded convolutions, all with bias.

    Args:
        variant: 'ridnet': as published; 'g': the head's output before its ReLU is added to that of
            the last block. Both have 1,499,347 parameters.
        width: Channels of the features, a multiple of ``reduction``.
        reduction: The attention has ``width / reduction`` hidden channels.
        scale: The layers see ``scale * x``; the published weights want 255.
        mean: RGB in [0, 1], subtracted before the head and added after the tail, as the published
            weights want; None: no shift.

    Shape:
        (N, 3, H, W) in [0, 1] -> the same; neither is clipped.
    """

    def __init__(
        self,
        variant: Literal['ridnet', 'g'] = 'ridnet',
        width: int = 64,
        reduction: int = 16,
        scale: float = 1.0,
        mean: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if variant not in ('ridnet', 'g'):
            raise ValueError(f"RIDNet: variant: expected 'ridnet' or 'g', got {variant!r}")
        if width < reduction or width % reduction:
            raise ValueError(
                f'RIDNet: width must be a multiple of reduction, got {width} and {reduction}'
            )
        self.variant, self.scale = variant, scale
        shift = torch.tensor(list(mean or (0.0, 0.0, 0.0)), dtype=torch.float32)
        self.register_buffer('mean', shift.view(1, 3, 1, 1), persistent=False)
        self.head = Layer(3, width) if variant == 'ridnet' else _conv(3, width)
        self.b1, self.b2, self.b3, self.b4 = (Block(width, reduction) for _ in range(4))
        self.tail = _conv(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return the denoised image."""
        check_input('RIDNet', x, 3)
        mean = self.mean.to(x.dtype)
        first = self.head((x - mean) * self.scale)
        features = self.b4(self.b3(self.b2(self.b1(functional.relu(first)))))
        features = features + first if self.variant == 'g' else features
        return x + self.tail(features) / self.scale + mean


class Layer(nn.Module):
    """A convolution and its activation, in the order of the released names."""

    def __init__(
        self, before: int, after: int, size: int = 3, activation: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(before, after, size), activation or nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """Return activation(conv(x))."""
        return self.body(x)


class Block(nn.Module):
    """One enhancement attention module (EAM): merge and run, two residual parts, attention."""

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        self.r1 = MergeAndRun(width)
        self.r2 = Residual(_conv(width, width), _conv(width, width))
        self.r3 = Residual(_conv(width, width), _conv(width, width), _conv(width, width, 1))
        self.ca = Attention(width, reduction)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of the module."""
        return self.ca(self.r3(self.r2(self.r1(x))))


class MergeAndRun(nn.Module):
    """Two branches of dilations 1, 2 and 3, 4, merged and added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body1 = _branch(width, 1, 2)
        self.body2 = _branch(width, 3, 4)
        self.body3 = nn.Sequential(_conv(2 * width, width), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """Return x + merged branches."""
        return self.body3(torch.cat([self.body1(x), self.body2(x)], 1)) + x


class Residual(nn.Module):
    """ReLU of the input plus convolutions with ReLU between."""

    def __init__(self, *convolutions: nn.Conv2d) -> None:
        super().__init__()
        layers = [layer for conv in convolutions for layer in (conv, nn.ReLU(inplace=True))]
        self.body = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(x + body(x))."""
        return functional.relu(self.body(x) + x)


class Attention(nn.Module):
    """Weigh every channel by what the mean of all channels asks for."""

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        self.c1 = Layer(width, width // reduction, 1)
        self.c2 = Layer(width // reduction, width, 1, nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Return x times its weights."""
        return x * self.c2(self.c1(x.mean((2, 3), keepdim=True)))


def _branch(width: int, *dilations: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for dilation in dilations:
        layers += [_conv(width, width, dilation=dilation), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _conv(before: int, after: int, size: int = 3, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, size, padding=dilation * (size // 2), dilation=dilation)

"""Spatially-adaptive normalisation: an image steers a generator at every place.

Park, Liu, Wang, Zhu: Semantic Image Synthesis with Spatially-Adaptive Normalization. CVPR 2019,
equation 1, figure 4.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from noiseedit.networks.layers import init_xavier, spectral


class SPADE(nn.Module):
    """``norm(x) * (1 + gamma(label)) + beta(label)``, instance norm without parameters.

    ``gamma`` and ``beta`` share a 3x3 convolution to ``hidden`` channels and a ReLU, and come from
    one 3x3 convolution, gamma first.

    Args:
        channels: Channels of x.
        label_channels: Channels of the modulation map; 0: none, plain instance norm.
        hidden: Channels between.

    Shape:
        x: (N, channels, H, W); label: (N, label_channels, H, W), not looked at if 0 channels.
    """

    def __init__(self, channels: int, label_channels: int, hidden: int = 128) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.modulated = label_channels > 0
        if self.modulated:
            self.shared = nn.Conv2d(label_channels, hidden, 3, padding=1)
            self.modulation = nn.Conv2d(hidden, 2 * channels, 3, padding=1)
            init_xavier(self)

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Return the normalised and modulated x."""
        if not self.modulated:
            return self.norm(x)
        gamma, beta = self.modulation(self.shared(label).relu()).chunk(2, 1)
        return self.norm(x) * (1 + gamma) + beta


class SPADEResBlock(nn.Module):
    """Residual block of two (SPADE, leaky ReLU 0.2, 3x3 convolution), spectral norm on all.

    The skip is the identity or, where channels change, SPADE and a 1x1 convolution without bias.

    Args:
        in_channels: Channels of x.
        out_channels: Channels of the result.
        label_channels: As in :class:`SPADE`.
        hidden: As in :class:`SPADE`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, label_channels: int, hidden: int = 128
    ) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm_1 = SPADE(in_channels, label_channels, hidden)
        self.conv_1 = _conv(in_channels, middle)
        self.norm_2 = SPADE(middle, label_channels, hidden)
        self.conv_2 = _conv(middle, out_channels)
        self.changes = in_channels != out_channels
        if self.changes:
            self.norm_skip = SPADE(in_channels, label_channels, hidden)
            self.conv_skip = _conv(in_channels, out_channels, kernel_size=1, bias=False)

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Return ``skip(x) + residual(x)``."""
        y = self.conv_1(functional.leaky_relu(self.norm_1(x, label), 0.2))
        y = self.conv_2(functional.leaky_relu(self.norm_2(y, label), 0.2))
        return y + (self.conv_skip(self.norm_skip(x, label)) if self.changes else x)


def _conv(
    in_channels: int, out_channels: int, kernel_size: int = 3, *, bias: bool = True
) -> nn.Module:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)
    init_xavier(conv)
    return spectral(conv)

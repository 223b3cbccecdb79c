"""The residual generator of CycleGAN.

Johnson, Alahi, Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution. ECCV
2016; with the instance norm, reflection padding and 9 blocks of Zhu, Park, Isola, Efros: Unpaired
Image-to-Image Translation using Cycle-Consistent Adversarial Networks. ICCV 2017, appendix 7.2.
"""

from __future__ import annotations

from torch import Tensor, nn

from noiseedit.networks.layers import Norm, check_input, init_normal, needs_bias, norm2d
from noiseedit.registry import GENERATORS


@GENERATORS.register_module()
class ResNetGenerator(nn.Module):
    """c7s1-w, d2w, d4w, residual blocks of 4w channels, u2w, uw, c7s1-out, tanh.

    Args:
        in_channels: Channels of the source.
        out_channels: Channels of the result.
        num_blocks: Residual blocks: 9 for images of 256x256 and more, 6 for 128x128.
        width: w, channels of the first layer.
        norm: Normalisation after every convolution but the last.

    Shape:
        (N, in_channels, H, W) in [-1, 1], any H, W >= 5 -> (N, out_channels, H, W) in (-1, 1).

    Note:
        11,378,179 parameters for 3 -> 3 channels, 9 blocks, instance norm. Sides that are no
        multiple of 4 come out longer and are cropped at the right and bottom.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        num_blocks: int = 9,
        width: int = 64,
        norm: Norm = 'instance',
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.head = nn.Sequential(
            nn.ReflectionPad2d(3), *_conv(in_channels, width, norm, kernel_size=7)
        )
        self.down = nn.Sequential(
            *_conv(width, 2 * width, norm, stride=2, padding=1),
            *_conv(2 * width, 4 * width, norm, stride=2, padding=1),
        )
        self.blocks = nn.Sequential(*(_Block(4 * width, norm) for _ in range(num_blocks)))
        self.up = nn.Sequential(*_up(4 * width, norm), *_up(2 * width, norm))
        self.tail = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh()
        )
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the translated image."""
        check_input('ResNetGenerator', x, self.in_channels)
        height, width = x.shape[-2:]
        y = self.up(self.blocks(self.down(self.head(x))))
        return self.tail(y[..., :height, :width])


class _Block(nn.Module):
    """``x + body(x)``; no activation after the sum."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_conv(channels, channels, norm),
            nn.ReflectionPad2d(1),
            *_conv(channels, channels, norm)[:-1],
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def _conv(
    in_channels: int,
    out_channels: int,
    norm: Norm,
    *,
    kernel_size: int = 3,
    stride: int = 1,
    padding: int = 0,
) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=needs_bias(norm))
    return [conv, norm2d(norm, out_channels), nn.ReLU(inplace=True)]


def _up(in_channels: int, norm: Norm) -> list[nn.Module]:
    out_channels = in_channels // 2
    conv = nn.ConvTranspose2d(
        in_channels, out_channels, 3, 2, 1, output_padding=1, bias=needs_bias(norm)
    )
    return [conv, norm2d(norm, out_channels), nn.ReLU(inplace=True)]

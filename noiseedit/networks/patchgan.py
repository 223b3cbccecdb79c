"""The PatchGAN discriminator of pix2pix.

Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks.
CVPR 2017, appendix 6.1.2.
"""

from __future__ import annotations

from torch import Tensor, nn

from noiseedit.networks.layers import Norm, check_input, init_normal, needs_bias, norm2d
from noiseedit.registry import DISCRIMINATORS


@DISCRIMINATORS.register_module()
class PatchGAN(nn.Module):
    """Score overlapping patches: a map of logits, one per patch.

    Args:
        in_channels: Channels of the image, plus those of the source for a conditional one: 6.
        num_layers: Stride-2 convolutions: 3 give the 70x70 patches of the paper, 1 gives 16x16.
        width: Channels of the first layer; they double up to eight times that.
        norm: Normalisation of all layers but the first and the last.

    Shape:
        (N, in_channels, H, W) -> (N, 1, h, w) logits (no sigmoid); H, W >= 2 ** (num_layers + 2).

    Note:
        2,768,705 parameters for 6 channels, 3 layers, batch norm.
    """

    def __init__(
        self,
        in_channels: int = 6,
        num_layers: int = 3,
        width: int = 64,
        norm: Norm = 'batch',
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        wide = [width * min(2**level, 8) for level in range(num_layers + 1)]
        layers = [nn.Conv2d(in_channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for level in range(1, num_layers + 1):
            stride = 1 if level == num_layers else 2
            layers += _block(wide[level - 1], wide[level], norm, stride)
        self.body = nn.Sequential(*layers, nn.Conv2d(wide[-1], 1, 4, 1, 1))
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of all patches."""
        check_input('PatchGAN', x, self.in_channels)
        return self.body(x)


def _block(in_channels: int, out_channels: int, norm: Norm, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, 4, stride, 1, bias=needs_bias(norm))
    return [conv, norm2d(norm, out_channels), nn.LeakyReLU(0.2, inplace=True)]

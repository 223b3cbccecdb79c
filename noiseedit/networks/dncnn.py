"""DnCNN: residual denoising by a plain convolutional network.

Zhang, Zuo, Chen, Meng, Zhang: Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
Denoising. IEEE TIP 2017, figure 1.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from noiseedit.networks.layers import check_input, from_sub_images, to_sub_images
from noiseedit.registry import GENERATORS


@GENERATORS.register_module()
class DnCNN(nn.Module):
    """Predict the noise and subtract it: ``x - F(x)``; any size, 3x3 zero-padded convolutions.

    ``F`` is conv, ReLU, then ``depth - 2`` times (conv, batch norm, ReLU), then conv.

    Args:
        in_channels: 1 (grey) or 3 (colour); the output has as many.
        depth: Number of convolutions: 17 for one noise level, 20 for blind denoising.
        width: Channels of the hidden layers.
        norm: Batch norm in the hidden layers. Without it the network is what remains after the
            norm is merged into the convolutions.
        bias: Bias of every convolution; None: only without norm.
        subsampling: Side of the cells whose pixels become channels, the sub-images of FFDNet (not
            in the paper): 2 sees twice as far at about a quarter of the work; 1: none.

    Shape:
        (N, in_channels, H, W) in [0, 1] -> the same; neither is clipped.
    """

    def __init__(
        self,
        in_channels: int = 1,
        depth: int = 17,
        width: int = 64,
        *,
        norm: bool = True,
        bias: bool | None = None,
        subsampling: int = 1,
    ) -> None:
        super().__init__()
        if depth < 3 or subsampling < 1:
            raise ValueError(
                'DnCNN: expected depth >= 3 and subsampling >= 1, '
                f'got depth={depth}, subsampling={subsampling}'
            )
        bias = not norm if bias is None else bias
        self.in_channels, self.subsampling = in_channels, subsampling
        outer = in_channels * subsampling**2
        layers: list[nn.Module] = [_conv(outer, width, bias), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers.append(_conv(width, width, bias))
            layers += [nn.BatchNorm2d(width)] * norm
            layers.append(nn.ReLU(inplace=True))
        self.body = nn.Sequential(*layers, _conv(width, outer, bias))
        _init(self.body, norm=norm)

    def noise(self, x: Tensor) -> Tensor:
        """Return the predicted noise ``F(x)``."""
        check_input('DnCNN', x, self.in_channels)
        found = self.body(to_sub_images(x, self.subsampling))
        return from_sub_images(found, self.subsampling, x.shape[-2:])

    def forward(self, x: Tensor) -> Tensor:
        """Return the denoised image ``x - F(x)``."""
        return x - self.noise(x)


def _conv(in_channels: int, out_channels: int, bias: bool) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias)


def _init(body: nn.Sequential, *, norm: bool) -> None:
    """With norm: Kaiming, small batch-norm scales. Without: orthogonal of gain 0.2.

    Both start close to the identity ``x - F(x) = x``, which a deep plain network needs.
    """
    for module in body:
        if isinstance(module, nn.Conv2d):
            if norm:
                nn.init.kaiming_normal_(module.weight)
            else:
                nn.init.orthogonal_(module.weight, gain=0.2)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            std = math.sqrt(2 / (9 * module.num_features))
            nn.init.normal_(module.weight, 0, std).data.clamp_(-0.025, 0.025)

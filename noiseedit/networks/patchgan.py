"""The PatchGAN discriminator of pix2pix, and its kin on several scales.

Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks.
CVPR 2017, appendix 6.1.2. Scales and spectral norm: Park, Liu, Wang, Zhu: Semantic Image Synthesis
with Spatially-Adaptive Normalization. CVPR 2019, appendix A.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from torch import Tensor, nn
from torch.nn import functional

from noiseedit.networks.layers import (
    Norm,
    check_input,
    init_normal,
    init_xavier,
    needs_bias,
    norm2d,
    spectral,
)
from noiseedit.registry import DISCRIMINATORS

Logits: TypeAlias = Tensor | list[Tensor]
Layers: TypeAlias = list[list[Tensor]]


@DISCRIMINATORS.register_module()
class PatchGAN(nn.Module):
    """Score overlapping patches: a map of logits, one per patch.

    Args:
        in_channels: Channels of the image, plus those of the source for a conditional one: 6.
        num_layers: Stride-2 convolutions: 3 give the 70x70 patches of the paper, 1 gives 16x16.
        width: Channels of the first layer; they double up to eight times that.
        norm: Normalisation of all layers but the first and the last.
        padding: Zeros around every convolution's input: 1 in pix2pix, 2 in SPADE.
        spectral_norm: Spectral norm on the convolutions between the first and the last.
        bias: Bias of these convolutions; None: unless batch norm follows.
        num_scales: Discriminators of equal shape, each on the image halved once more (average of
            3x3 pixels, stride 2).
        init: Initial weights: 'normal' (pix2pix) or 'xavier' (SPADE).

    Shape:
        (N, in_channels, H, W) -> (N, 1, h, w) logits (no sigmoid); H, W >= 2 ** (num_layers + 2)
        with padding 1. With several scales: a list of logits, the finest first.

    Note:
        2,768,705 parameters for 6 channels, 3 layers, batch norm.
    """

    def __init__(
        self,
        in_channels: int = 6,
        num_layers: int = 3,
        width: int = 64,
        norm: Norm = 'batch',
        *,
        padding: int = 1,
        spectral_norm: bool = False,
        bias: bool | None = None,
        num_scales: int = 1,
        init: Literal['normal', 'xavier'] = 'normal',
    ) -> None:
        super().__init__()
        if init not in ('normal', 'xavier'):
            raise ValueError(f"PatchGAN: init: expected 'normal' or 'xavier', got {init!r}")
        if num_scales < 1:
            raise ValueError(f'PatchGAN: num_scales must be at least 1, got {num_scales}')
        self.in_channels = in_channels
        wide = [width * min(2**level, 8) for level in range(num_layers + 1)]
        bias = needs_bias(norm) if bias is None else bias
        bodies = [_body(in_channels, wide, norm, padding, bias) for _ in range(num_scales)]
        for body in bodies:
            (init_normal if init == 'normal' else init_xavier)(body)
            if spectral_norm:
                _normalise_inner(body)
        self.body = bodies[0]
        self.coarser = nn.ModuleList(bodies[1:])

    def forward(self, x: Tensor, layers: bool = False) -> Logits | Layers:
        """Return the logits of all patches; with ``layers``, all layers of every scale instead.

        The layers of a scale are the outputs of its activations, then its logits.
        """
        check_input('PatchGAN', x, self.in_channels)
        scales = [_layers(self.body, x)]
        for body in self.coarser:
            x = functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
            scales.append(_layers(body, x))
        if layers:
            return scales
        logits = [scale[-1] for scale in scales]
        return logits if self.coarser else logits[0]


def _body(
    in_channels: int,
    wide: list[int],
    norm: Norm,
    padding: int,
    bias: bool,
) -> nn.Sequential:
    """Return the layers of one scale, flat, so that their names are running numbers."""
    layers: list[nn.Module] = [nn.Conv2d(in_channels, wide[0], 4, 2, padding)]
    layers.append(nn.LeakyReLU(0.2, inplace=True))
    for level in range(1, len(wide)):
        stride = 1 if level == len(wide) - 1 else 2
        conv = nn.Conv2d(wide[level - 1], wide[level], 4, stride, padding, bias=bias)
        layers += [conv, norm2d(norm, wide[level])]
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*layers, nn.Conv2d(wide[-1], 1, 4, 1, padding))


def _normalise_inner(body: nn.Sequential) -> None:
    convs = [module for module in body if isinstance(module, nn.Conv2d)]
    for conv in convs[1:-1]:
        spectral(conv)


def _layers(body: nn.Sequential, x: Tensor) -> list[Tensor]:
    found = []
    for module in body:
        x = module(x)
        if isinstance(module, nn.LeakyReLU):
            found.append(x)
    return [*found, x]

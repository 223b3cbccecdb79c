"""Pieces shared by the networks: normalisation, convolution blocks, initial weights.

Initial weights come from torch's global generator, which the runner seeds before it builds the
model; nothing else in a network draws from it but dropout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

Norm = Literal['batch', 'instance', 'none']


def norm2d(kind: Norm, channels: int) -> nn.Module:
    """Return batch norm (affine), instance norm (not affine) or the identity.

    Raises:
        ValueError: If ``kind`` is none of 'batch', 'instance', 'none'.
    """
    if kind == 'batch':
        return nn.BatchNorm2d(channels)
    if kind == 'instance':
        return nn.InstanceNorm2d(channels)
    if kind == 'none':
        return nn.Identity()
    raise ValueError(f"norm: expected 'batch', 'instance' or 'none', got {kind!r}")


def needs_bias(kind: Norm) -> bool:
    """Tell whether a convolution before this norm has a bias: only batch norm brings its own."""
    return kind != 'batch'


def init_normal(network: nn.Module, std: float = 0.02) -> None:
    """Draw initial weights as Isola et al. 2017: N(0, std), batch-norm scale N(1, std), bias 0."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, 0, std)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, std)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def init_xavier(network: nn.Module, gain: float = 0.02) -> None:
    """Draw initial weights as Park et al. 2019: Xavier normal of gain 0.02, bias 0.

    Runs before :func:`spectral`: a normalised weight cannot be set.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.xavier_normal_(module.weight, gain)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def spectral(conv: nn.Module) -> nn.Module:
    """Divide the weight by its largest singular value (Miyato et al. 2018).

    One power iteration per forward pass in training mode. The weight is saved as
    ``parametrizations.weight.original``, the singular vectors beside it.
    """
    return spectral_norm(conv)


def check_input(name: str, image: Tensor, channels: int, multiple: int = 1) -> None:
    """Refuse an image that a network cannot take, with a message that names the remedy.

    Args:
        name: The network, for the message.
        image: (N, C, H, W).
        channels: Expected C.
        multiple: H and W must be multiples of this.

    Raises:
        ValueError: If the shape does not fit.
    """
    if image.ndim != 4 or image.shape[1] != channels:
        raise ValueError(
            f'{name}: expected (N, {channels}, H, W), got {tuple(image.shape)}; '
            'set in_channels of the network to the channels of the data'
        )
    height, width = image.shape[-2:]
    if height % multiple or width % multiple:
        raise ValueError(
            f'{name}: height and width must be multiples of {multiple}, got {height}x{width}; '
            f'set data_preprocessor.pad_multiple={multiple} or crop the images'
        )


def to_sub_images(image: Tensor, factor: int) -> Tensor:
    """Take an image apart: one sub-image per place in cells of ``factor`` x ``factor`` pixels.

    Args:
        image: (N, C, H, W); sides that are no multiple are padded by replication.
        factor: Side of a cell.

    Returns:
        (N, C * factor^2, ceil(H / factor), ceil(W / factor)).
    """
    bottom, right = (-side % factor for side in image.shape[-2:])
    if bottom or right:
        image = functional.pad(image, (0, right, 0, bottom), mode='replicate')
    return functional.pixel_unshuffle(image, factor)


def from_sub_images(parts: Tensor, factor: int, size: Sequence[int]) -> Tensor:
    """Put sub-images together, the inverse of :func:`to_sub_images`.

    Args:
        parts: (N, C * factor^2, h, w).
        factor: Side of a cell.
        size: H and W of the image: what was padded is cut back.
    """
    height, width = size
    return functional.pixel_shuffle(parts, factor)[..., :height, :width]

"""A residual generator and discriminator for images of 64x64 or 128x128.

Mescheder, Geiger, Nowozin: Which Training Methods for GANs do actually Converge? ICML 2018; the
network of its code for LSUN. The networks of NR-GAN for LSUN and FFHQ are not public; its training
for CIFAR-10 is that of this paper, so this is where to start.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.models.nr_gan.folded import enlarge, enlarge_then_conv
from noiseedit.models.nr_gan.networks import RESIDUAL_FACTOR, check_latent, like_weights
from noiseedit.networks.layers import check_input
from noiseedit.registry import DISCRIMINATORS, GENERATORS

SMALLEST = 4  # side of the smallest feature map
SLOPE = 0.2


@GENERATORS.register_module()
class ResidualGANGenerator(nn.Module):
    """A latent to an image: linear layer, residual blocks with doublings between them, tanh.

    Without the class embedding of the code. With a single label that embedding, one number
    normalised to 1 or -1, is but a second bias: 1 + 16 * widest parameters less, same functions.

    Args:
        latent_channels: Length of the latent.
        channels: Channels at full size; they double with every halving of the side.
        max_channels: Bound of the channels.
        image_size: Side of the image: 4 times a power of two.
        out_channels: Channels of the image.
        folded: Enlarge and convolve in one operation: faster, same weights, same output.

    Shape:
        (N, latent_channels) -> (N, out_channels, image_size, image_size) in (-1, 1).

    Note:
        14,115,523 parameters with the defaults, 33,261,251 with ``max_channels=1024`` (with the
        embedding 14,123,716 and 33,277,636).

    Raises:
        ValueError: If ``image_size`` is another, or a latent has another shape.
    """

    def __init__(
        self,
        latent_channels: int = 256,
        channels: int = 64,
        max_channels: int = 512,
        image_size: int = 128,
        out_channels: int = 3,
        *,
        folded: bool = True,
    ) -> None:
        super().__init__()
        self.latent_channels = latent_channels
        widths = _widths('ResidualGANGenerator', channels, max_channels, image_size)[::-1]
        self.smallest = (widths[0], SMALLEST, SMALLEST)
        self.linear = nn.Linear(latent_channels, widths[0] * SMALLEST**2)
        self.first = _Block(widths[0], widths[1])
        self.blocks = nn.ModuleList(
            _EnlargingBlock(width, following, folded)
            for width, following in zip(widths[1:], [*widths[2:], channels], strict=True)
        )
        self.out = nn.Conv2d(channels, out_channels, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        """Return the images of latents."""
        check_latent('ResidualGANGenerator', latent, self.latent_channels)
        x = like_weights(self.linear(latent).view(-1, *self.smallest), self.out.weight)
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.out(_activate(x)).tanh()


@DISCRIMINATORS.register_module()
class ResidualGANDiscriminator(nn.Module):
    """An image to one logit: residual blocks with halvings between them, linear layer.

    A halving is a mean of 3x3 pixels with stride 2, zeros around the image included.

    Args:
        in_channels: Channels of the image.
        channels: Channels at full size; they double with every halving of the side.
        max_channels: Bound of the channels.
        image_size: Side of the image: 4 times a power of two.

    Shape:
        (N, in_channels, image_size, image_size) -> (N,) logits (no sigmoid).

    Note:
        12,018,881 parameters with the defaults, 29,067,969 with ``max_channels=1024``.

    Raises:
        ValueError: If ``image_size`` is another, or an image has another shape.
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: int = 64,
        max_channels: int = 512,
        image_size: int = 128,
    ) -> None:
        super().__init__()
        self.in_channels, self.image_size = in_channels, image_size
        widths = _widths('ResidualGANDiscriminator', channels, max_channels, image_size)
        self.conv = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.blocks = nn.ModuleList(
            _Block(width, following)
            for width, following in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.linear = nn.Linear(widths[-1] * SMALLEST**2, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return one logit per image."""
        check_input('ResidualGANDiscriminator', image, self.in_channels)
        if image.shape[-2:] != (self.image_size, self.image_size):
            raise ValueError(
                f'ResidualGANDiscriminator: expected images of {self.image_size}x{self.image_size},'
                f' got {tuple(image.shape)}; set image_size of the network to their side'
            )
        first, *others = self.blocks
        x = first(self.conv(image))
        for block in others:
            x = block(functional.avg_pool2d(x, 3, stride=2, padding=1))
        return self.linear(_activate(x).flatten(1)).squeeze(1)


class _Block(nn.Module):
    """Two convolutions, each after a leaky ReLU; the shortcut is the identity if widths allow."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        hidden = min(in_channels, out_channels)
        self.conv1 = nn.Conv2d(in_channels, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, out_channels, 3, padding=1)
        self.changes = in_channels != out_channels
        if self.changes:
            self.conv_shortcut = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv2(_activate(self.conv1(_activate(x))))
        shortcut = self.conv_shortcut(x) if self.changes else x
        return torch.add(shortcut, main, alpha=RESIDUAL_FACTOR)


class _EnlargingBlock(_Block):
    """The same on an enlarged image, without enlarging it if folded."""

    def __init__(self, in_channels: int, out_channels: int, folded: bool) -> None:
        super().__init__(in_channels, out_channels)
        self.folded = folded

    def forward(self, x: Tensor) -> Tensor:
        main = enlarge_then_conv(self.conv1, _activate(x), folded=self.folded)
        main = self.conv2(_activate(main))
        if self.changes:
            shortcut = enlarge_then_conv(self.conv_shortcut, x, folded=self.folded)
        else:
            shortcut = enlarge(x)
        return torch.add(shortcut, main, alpha=RESIDUAL_FACTOR)


def _activate(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE)


def _widths(name: str, channels: int, max_channels: int, image_size: int) -> list[int]:
    """Return the channels of every size, the full one first."""
    halvings = (image_size // SMALLEST).bit_length() - 1
    if halvings < 1 or image_size != SMALLEST * 2**halvings:
        raise ValueError(
            f'{name}: image_size: expected {SMALLEST} times a power of two from {2 * SMALLEST}, '
            f'got {image_size}'
        )
    return [min(channels * 2**level, max_channels) for level in range(halvings + 1)]

"""The generator and the discriminator of NR-GAN, for images of about 32x32.

Kaneko, Harada: Noise Robust Generative Adversarial Networks. CVPR 2020; the networks of its code
for CIFAR-10. Names of weights are those of the code without its wrappers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from noiseedit.models.nr_gan.folded import conv_then_pool, enlarge_then_conv, mean_pool
from noiseedit.networks.layers import check_input
from noiseedit.registry import DISCRIMINATORS, GENERATORS

MULTIPLE = 8  # sides of images: the generator doubles three times
RESIDUAL_FACTOR = 0.1


@GENERATORS.register_module()
class NRGANGenerator(nn.Module):
    """A latent to an image: linear layer, three residual blocks that double the size, tanh.

    Args:
        latent_channels: Length of the latent: 128; 256 for a noise generator that sees that of the
            image too.
        channels: Channels of every layer.
        image_size: Sides of the image, or one number for both; multiples of 8.
        out_channels: Channels of the image.
        folded: Enlarge and convolve in one operation: faster, same weights, same output.

    Shape:
        (N, latent_channels) -> (N, out_channels, H, W) in (-1, 1).

    Note:
        1,202,691 parameters with the defaults, 1,464,835 with ``latent_channels=256``.

    Raises:
        ValueError: If a side is no multiple of 8, or a latent has another shape.
    """

    def __init__(
        self,
        latent_channels: int = 128,
        channels: int = 128,
        image_size: int | Sequence[int] = 32,
        out_channels: int = 3,
        *,
        folded: bool = True,
    ) -> None:
        super().__init__()
        self.latent_channels = latent_channels
        self.smallest = (channels, *_smallest_sides(image_size))
        height, width = self.smallest[1:]
        self.linear1 = nn.Linear(latent_channels, channels * height * width)
        self.block2 = _UpBlock(channels, folded)
        self.block3 = _UpBlock(channels, folded)
        self.block4 = _UpBlock(channels, folded)
        self.conv5 = nn.Conv2d(channels, out_channels, 3, padding=1)
        _init(self)

    def forward(self, latent: Tensor) -> Tensor:
        """Return the images of latents."""
        check_latent('NRGANGenerator', latent, self.latent_channels)
        x = like_weights(self.linear1(latent).view(-1, *self.smallest), self.conv5.weight)
        x = self.block4(self.block3(self.block2(x)))
        return self.conv5(x.relu_()).tanh()


@DISCRIMINATORS.register_module()
class NRGANDiscriminator(nn.Module):
    """An image to one logit: four residual blocks, two of which halve the size, mean, linear.

    Args:
        in_channels: Channels of the image: 3; 6 for an image blurred along both axes.
        channels: Channels of every layer.
        folded: Convolve and pool in one operation: faster, same weights, same output.

    Shape:
        (N, in_channels, H, W), H and W multiples of 8 -> (N,) logits (no sigmoid).

    Note:
        1,053,825 parameters with the defaults, 1,057,665 with ``in_channels=6``.

    Raises:
        ValueError: If an image has another shape.
    """

    def __init__(self, in_channels: int = 3, channels: int = 128, *, folded: bool = True) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.block1 = _FirstBlock(in_channels, channels, folded)
        self.block2 = _DownBlock(channels, folded)
        self.block3 = _Block(channels)
        self.block4 = _Block(channels)
        self.linear5 = nn.Linear(channels, 1)
        _init(self)

    def forward(self, image: Tensor) -> Tensor:
        """Return one logit per image."""
        check_input('NRGANDiscriminator', image, self.in_channels, MULTIPLE)
        x = self.block4(self.block3(self.block2(self.block1(image))))
        return self.linear5(x.relu().mean((2, 3))).squeeze(1)


class _UpBlock(nn.Module):
    """A residual block that doubles the size."""

    def __init__(self, channels: int, folded: bool) -> None:
        super().__init__()
        self.folded = folded
        self.conv_shortcut = nn.Conv2d(channels, channels, 1)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        main = enlarge_then_conv(self.conv1, x.relu(), folded=self.folded)
        shortcut = enlarge_then_conv(self.conv_shortcut, x, folded=self.folded)
        return torch.add(shortcut, self.conv2(main.relu_()), alpha=RESIDUAL_FACTOR)


class _FirstBlock(nn.Module):
    """A residual block that halves the size of an image; no activation before it."""

    def __init__(self, in_channels: int, channels: int, folded: bool) -> None:
        super().__init__()
        self.folded = folded
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(in_channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        main = conv_then_pool(self.conv2, self.conv1(x).relu_(), folded=self.folded)
        return torch.add(self.conv_shortcut(mean_pool(x)), main, alpha=RESIDUAL_FACTOR)


class _DownBlock(nn.Module):
    """A residual block that halves the size."""

    def __init__(self, channels: int, folded: bool) -> None:
        super().__init__()
        self.folded = folded
        self.conv_shortcut = nn.Conv2d(channels, channels, 1)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv1(x.relu()).relu_()
        main = conv_then_pool(self.conv2, main, folded=self.folded)
        shortcut = conv_then_pool(self.conv_shortcut, x, folded=self.folded)
        return torch.add(shortcut, main, alpha=RESIDUAL_FACTOR)


class _Block(nn.Module):
    """A residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv2(self.conv1(x.relu()).relu_())
        return torch.add(x, main, alpha=RESIDUAL_FACTOR)


def check_latent(name: str, latent: Tensor, channels: int) -> None:
    """Refuse what is no batch of latents.

    Args:
        name: The network, for the message.
        latent: (N, channels).
        channels: Expected length of a latent.

    Raises:
        ValueError: If the shape does not fit.
    """
    if latent.ndim != 2 or latent.shape[1] != channels:
        raise ValueError(
            f'{name}: expected latents (N, {channels}), got {tuple(latent.shape)}; '
            'set latent_channels of the network to their length'
        )


def like_weights(x: Tensor, weight: Tensor) -> Tensor:
    """Return ``x`` (N, C, H, W) in the memory layout of a convolution's weight."""
    if weight.is_contiguous(memory_format=torch.channels_last):
        return x.contiguous(memory_format=torch.channels_last)
    return x


def _smallest_sides(image_size: int | Sequence[int]) -> tuple[int, int]:
    """Return height and width of the first feature map."""
    sides = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2 or any(side < MULTIPLE or side % MULTIPLE for side in sides):
        raise ValueError(
            f'NRGANGenerator: image_size: expected one or two multiples of {MULTIPLE}, '
            f'got {image_size!r}'
        )
    return sides[0] // MULTIPLE, sides[1] // MULTIPLE


def _init(network: nn.Module) -> None:
    """Draw Xavier uniform weights: gain sqrt(2) on residual paths, 1 elsewhere; bias 0."""
    for name, module in network.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            residual = name.endswith(('.conv1', '.conv2'))
            nn.init.xavier_uniform_(module.weight, 2**0.5 if residual else 1.0)
            nn.init.zeros_(module.bias)

"""The other network of NoiseTransfer: it describes noise, and tells real noise from generated."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.errors import ConfigError
from noiseedit.models.noise_transfer.layers import (
    CONDITION,
    Conv,
    Linear,
    as_image,
    from_condition,
)
from noiseedit.networks.layers import check_input
from noiseedit.registry import DISCRIMINATORS

Features = tuple[Tensor, Tensor, Tensor]


class Encoded(NamedTuple):
    """What the encoder says of noisy images.

    Attributes:
        features: (N, 64, H, W), (N, 128, H/2, W/2), (N, 256, H/4, W/4).
        embedding: (N, 128), of unit length where it is normalised.
    """

    features: Features
    embedding: Tensor


class Judged(NamedTuple):
    """What the discriminator says of noisy images.

    Attributes:
        features: As in :class:`Encoded`.
        logits: (N, 1, H, W), (N, 1, H/2, W/2), (N, 1, H/4, W/4); above 0 for real.
    """

    features: Features
    logits: Features


@DISCRIMINATORS.register_module()
class ContraE(nn.Module):
    """Noise encoder and conditional discriminator of patches, which share most convolutions.

    The encoder normalises features by instance norm, the discriminator by instance norm with scale
    and shift from the condition. 9,382,272 parameters at width 64, of which the encoder uses
    7,533,120 and the discriminator 8,255,296.

    Args:
        width: Channels at full size; twice and four times as many at the smaller ones.
        noise_gain: Factor of the noise that the judge is given; 1: as published. Weak noise beside
            an image of full range takes long to be seen.

    Shape:
        Images (N, 3, H, W) in [0, 1], of at least 8 x 8 pixels.

    Raises:
        ConfigError: If ``noise_gain`` is not above 0.
    """

    def __init__(self, width: int = 64, noise_gain: float = 1.0) -> None:
        super().__init__()
        if noise_gain <= 0:
            raise ConfigError(f'ContraE.noise_gain: expected a factor above 0, got {noise_gain}')
        self.noise_gain = noise_gain
        widths = (width, 2 * width, 4 * width)
        self.pre_noise = Conv(3, width)
        self.pre_gan = Conv(6, width)
        for level, (channels, count) in enumerate(zip(widths, (2, 3, 4), strict=True), 1):
            self.add_module(f'blocks{level}', nn.ModuleList(_repeat(channels, count)))
            self.add_module(f'post_noise{level}', _after_encoder(channels))
            self.add_module(f'post_gan{level}', _after_discriminator(channels))
            self.add_module(f'conv_gan{level}', Conv(channels, 1, 1))
        self.conv_down1 = Conv(widths[0], widths[1], 4)
        self.conv_down2 = Conv(widths[1], widths[2], 4)
        self.mlp_noise = Projection(sum(widths))

    def forward(
        self, noisy: Tensor, clean: Tensor | None = None, condition: Tensor | None = None
    ) -> Encoded | Judged:
        """Return :meth:`encode` of the noisy images alone, else :meth:`judge`."""
        if clean is None and condition is None:
            return self.encode(noisy)
        if clean is None or condition is None:
            raise ValueError('ContraE: a judgement needs both the clean images and the condition')
        return self.judge(noisy, clean, condition)

    def encode(self, noisy: Tensor, normalise: bool = True) -> Encoded:
        """Describe the noise of images.

        Args:
            noisy: (N, 3, H, W) in [0, 1].
            normalise: Scale the embedding to unit length.
        """
        check_input('ContraE', noisy, 3)
        y, features = self.pre_noise(noisy * 2 - 1), []
        for level in (1, 2, 3):
            y = self._shared(y, level, None)
            features.append(getattr(self, f'post_noise{level}')(y))
        means = torch.cat([feature.mean((2, 3)) for feature in features], 1)
        embedding = self.mlp_noise(means).float()  # of unit length also under autocast
        embedding = functional.normalize(embedding, dim=1) if normalise else embedding
        return Encoded((features[0], features[1], features[2]), embedding)

    def judge(self, noisy: Tensor, clean: Tensor, condition: Tensor) -> Judged:
        """Tell whether the noise of images is real noise of the kind that the condition says.

        Args:
            noisy: (N, 3, H, W): in [0, 1], or beyond where noise was generated.
            clean: The same without noise.
            condition: (N, 128), the embedding of reference images, of unit length.
        """
        check_input('ContraE', noisy, 3)
        k, noise = as_image(condition), self.noise_gain * (noisy - clean)
        y, features, logits = self.pre_gan(torch.cat([clean * 2 - 1, noise], 1)), [], []
        for level in (1, 2, 3):
            first, norm, last = getattr(self, f'post_gan{level}')
            y = norm(first(self._shared(y, level, k)), k)  # goes on to the next level
            features.append(last(y))
            logits.append(getattr(self, f'conv_gan{level}')(features[-1]))
        return Judged((features[0], features[1], features[2]), (logits[0], logits[1], logits[2]))

    def _shared(self, y: Tensor, level: int, k: Tensor | None) -> Tensor:
        """Return features of the blocks of a level, after going down to it."""
        y = y if level == 1 else getattr(self, f'conv_down{level - 1}')(y)
        for block in getattr(self, f'blocks{level}'):
            y = block(y, k)
        return y


class SharedBlock(nn.Module):
    """Twice: norm of the role, leaky ReLU, 3x3 convolution of both roles; plus the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.noise_inorm1 = nn.InstanceNorm2d(width, affine=True)
        self.gan_cin1 = ConditionalNorm(width)
        self.conv1 = Conv(width, width, active=True)
        self.noise_inorm2 = nn.InstanceNorm2d(width, affine=True)
        self.gan_cin2 = ConditionalNorm(width)
        self.conv2 = Conv(width, width, active=True)

    def forward(self, x: Tensor, k: Tensor | None) -> Tensor:
        """Return the features after the block; with a condition as discriminator."""
        y = self.noise_inorm1(x) if k is None else self.gan_cin1(x, k)
        y = self.conv1(y)
        y = self.noise_inorm2(y) if k is None else self.gan_cin2(y, k)
        return x + self.conv2(y)


class ConditionalNorm(nn.Module):
    """``IN(x) (1 + gamma(k)) + beta(k)`` with an instance norm IN that is not affine."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs_gamma, self.convs_beta = from_condition(width), from_condition(width)

    def forward(self, x: Tensor, k: Tensor) -> Tensor:
        """Return the normalised features; gamma and beta are the same at every pixel."""
        gamma = self.convs_gamma[1](self.convs_gamma[0](k))
        beta = self.convs_beta[1](self.convs_beta[0](k))
        return functional.instance_norm(x) * (1 + gamma) + beta


class Projection(nn.Module):
    """From means of features to the embedding: two linear maps."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear1 = Linear(width, width)
        self.linear2 = Linear(width, CONDITION, active=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 128)."""
        return self.linear2(self.linear1(x))


def _repeat(width: int, count: int) -> list[SharedBlock]:
    return [SharedBlock(width) for _ in range(count)]


def _after_encoder(width: int) -> nn.Sequential:
    return nn.Sequential(Conv(width, width, 1), Conv(width, width, active=True, norm=True))


def _after_discriminator(width: int) -> nn.ModuleList:
    return nn.ModuleList(
        [Conv(width, width, 1), ConditionalNorm(width), Conv(width, width, active=True)]
    )

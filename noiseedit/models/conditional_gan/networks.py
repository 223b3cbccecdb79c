"""Generator and discriminator of class-conditional GANs, for images of about 32x32.

The networks of Kaneko, Ushiku, Harada: Label-Noise Robust Generative Adversarial Networks (CVPR
2019), and of their CP-GAN (BMVC 2019): those of NR-GAN with full residual branches, conditional
batch norm in the generator, and a discriminator that knows classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.errors import ConfigError
from noiseedit.models.nr_gan.folded import conv_then_pool, enlarge_then_conv, mean_pool
from noiseedit.networks.layers import check_input, spectral
from noiseedit.registry import DISCRIMINATORS, GENERATORS

MULTIPLE = 8  # sides of images: the generator doubles three times


class Judgement(NamedTuple):
    """What a conditional discriminator says.

    Attributes:
        logits: Real or generated, (N,).
        classes: Logits of the classes, (N, K); None with a projection head.
    """

    logits: Tensor
    classes: Tensor | None


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose scale and shift belong to a class (Dumoulin et al. 2017).

    Given class weights, scale and shift are the weighted means of the classes'.

    Args:
        num_classes: K.
        channels: Of the image.
    """

    def __init__(self, num_classes: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Parameter(torch.ones(num_classes, channels))
        self.shift = nn.Parameter(torch.zeros(num_classes, channels))

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Return ``scale * norm(x) + shift``; ``weights`` (N, K) of the classes."""
        scale, shift = weights @ self.scale, weights @ self.shift
        return torch.addcmul(shift[..., None, None], scale[..., None, None], self.norm(x))


@GENERATORS.register_module()
class ConditionalGenerator(nn.Module):
    """A latent and a class to an image: linear, three residual blocks that double the size, tanh.

    Args:
        num_classes: K.
        latent_channels: Length of the latent.
        channels: Channels of every layer.
        image_size: Side of the image, a multiple of 8.
        out_channels: Channels of the image.
        folded: Enlarge and convolve in one operation: faster, same weights, same output.

    Shape:
        (N, latent_channels) and condition, (N,) labels or (N, K) class weights ->
        (N, out_channels, H, W) in (-1, 1).

    Note:
        1,218,307 parameters for 10 classes; 4,304,387 with ``channels=256``.

    Raises:
        ConfigError: If ``image_size`` is no multiple of 8.
    """

    def __init__(
        self,
        num_classes: int = 10,
        latent_channels: int = 128,
        channels: int = 128,
        image_size: int = 32,
        out_channels: int = 3,
        *,
        folded: bool = True,
    ) -> None:
        super().__init__()
        if image_size < MULTIPLE or image_size % MULTIPLE:
            raise ConfigError(f'image_size: expected a multiple of {MULTIPLE}, got {image_size}')
        self.num_classes, self.latent_channels = num_classes, latent_channels
        self.smallest = (channels, image_size // MULTIPLE, image_size // MULTIPLE)
        self.linear1 = nn.Linear(latent_channels, channels * self.smallest[1] ** 2)
        self.block2 = _UpBlock(num_classes, channels, folded)
        self.block3 = _UpBlock(num_classes, channels, folded)
        self.block4 = _UpBlock(num_classes, channels, folded)
        self.norm5 = nn.BatchNorm2d(channels)
        self.conv5 = nn.Conv2d(channels, out_channels, 3, padding=1)
        _init(self)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Return the images of latents, each of its class or mixture of classes."""
        weights = class_weights(condition, self.num_classes).to(latent.dtype)
        x = self.linear1(latent).view(-1, *self.smallest)
        for block in (self.block2, self.block3, self.block4):
            x = block(x, weights)
        return self.conv5(self.norm5(x).relu()).tanh()


class _UpBlock(nn.Module):
    """A residual block that doubles the size."""

    def __init__(self, num_classes: int, channels: int, folded: bool) -> None:
        super().__init__()
        self.folded = folded
        self.conv_shortcut = nn.Conv2d(channels, channels, 1)
        self.norm1 = ConditionalBatchNorm(num_classes, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = ConditionalBatchNorm(num_classes, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        main = self.norm1(x, weights).relu()
        main = self.norm2(enlarge_then_conv(self.conv1, main, folded=self.folded), weights).relu()
        return enlarge_then_conv(self.conv_shortcut, x, folded=self.folded) + self.conv2(main)


@DISCRIMINATORS.register_module()
class ConditionalDiscriminator(nn.Module):
    """An image to a logit that knows the class: four residual blocks, pooling, head.

    Args:
        num_classes: K.
        head: ``'classifier'``: beside the logit those of the classes (AC-GAN, Odena et al. 2017);
            ``'projection'``: the logit is ``w h + <e(label), h>``, h the pooled features (Miyato
            and Koyama 2018).
        in_channels: Channels of the image.
        channels: Channels of every layer.
        pool: Of the last features over pixels: their sum or mean.
        spectral_norm: Divide every weight by its largest singular value.
        dropout: Rates after the second, third and fourth block, in training; CT-GAN and CP-GAN:
            (0.2, 0.5, 0.5). None: none.
        folded: Convolve and pool in one operation: faster, same weights, same output.

    Shape:
        (N, in_channels, H, W), H and W multiples of 8, and (N,) labels -> :class:`Judgement`.

    Note:
        For 10 classes 1,055,115 parameters with a classifier, 1,055,104 with a projection.

    Raises:
        ConfigError: If ``head`` or ``pool`` is unknown.
    """

    def __init__(
        self,
        num_classes: int = 10,
        head: Literal['classifier', 'projection'] = 'classifier',
        in_channels: int = 3,
        channels: int = 128,
        *,
        pool: Literal['sum', 'mean'] = 'mean',
        spectral_norm: bool = False,
        dropout: Sequence[float] | None = None,
        folded: bool = True,
    ) -> None:
        super().__init__()
        _check(head, pool)
        self.in_channels, self.num_classes, self.head, self.pool = (
            in_channels, num_classes, head, pool
        )  # fmt: skip
        self.block1 = _DownBlock(in_channels, channels, folded, first=True)
        self.block2 = _DownBlock(channels, channels, folded)
        self.block3 = _Block(channels)
        self.block4 = _Block(channels)
        self.drops = nn.ModuleList([nn.Dropout(rate) for rate in dropout or (0.0, 0.0, 0.0)])
        self.linear5 = nn.Linear(channels, 1, bias=head == 'classifier')
        self.classes: nn.Module = (
            nn.Linear(channels, num_classes)
            if head == 'classifier'
            else nn.Embedding(num_classes, channels)
        )
        _init(self)
        if spectral_norm:
            _normalise(self)

    def forward(self, image: Tensor, label: Tensor) -> Judgement:
        """Return logits; ``label`` (N,) is what a projection judges the image as."""
        check_input('ConditionalDiscriminator', image, self.in_channels, MULTIPLE)
        x = self.block1(image)
        blocks: tuple[nn.Module, ...] = (self.block2, self.block3, self.block4)
        for block, drop in zip(blocks, self.drops, strict=True):
            x = drop(block(x))
        features = x.relu().sum((2, 3)) if self.pool == 'sum' else x.relu().mean((2, 3))
        logits = self.linear5(features).squeeze(1)
        if self.head == 'classifier':
            return Judgement(logits, self.classes(features))
        return Judgement(logits + (self.classes(label) * features).sum(1), None)


class _DownBlock(nn.Module):
    """A residual block that halves the size; the first of an image has no activation before it."""

    def __init__(self, in_channels: int, channels: int, folded: bool, first: bool = False) -> None:
        super().__init__()
        self.folded, self.first = folded, first
        self.conv_shortcut = nn.Conv2d(in_channels, channels, 1)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv1(x if self.first else x.relu()).relu()
        return self.conv_shortcut(mean_pool(x)) + conv_then_pool(
            self.conv2, main, folded=self.folded
        )


class _Block(nn.Module):
    """A residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.conv1(x.relu()).relu())


def class_weights(condition: Tensor, num_classes: int) -> Tensor:
    """Return (N, K) class weights: those given, or 1 for each of (N,) labels.

    Raises:
        ConfigError: If weights are given for another number of classes.
    """
    if condition.ndim == 1:
        return functional.one_hot(condition.long(), num_classes).float()
    if condition.shape[1] != num_classes:
        raise ConfigError(
            f'the generator knows {num_classes} classes, got weights of {condition.shape[1]}; '
            'give generator and discriminator the same num_classes'
        )
    return condition


def _check(head: str, pool: str) -> None:
    if head not in ('classifier', 'projection'):
        raise ConfigError(f"head: expected 'classifier' or 'projection', got {head!r}")
    if pool not in ('sum', 'mean'):
        raise ConfigError(f"pool: expected 'sum' or 'mean', got {pool!r}")


def _init(network: nn.Module) -> None:
    """Draw Xavier uniform weights: gain sqrt(2) on residual paths, 1 elsewhere; bias 0."""
    for name, module in network.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
            residual = name.endswith(('.conv1', '.conv2'))
            nn.init.xavier_uniform_(module.weight, 2**0.5 if residual else 1.0)
            if getattr(module, 'bias', None) is not None:
                nn.init.zeros_(module.bias)


def _normalise(network: nn.Module) -> None:
    layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))]
    for layer in layers:
        spectral(layer)

"""JPEG at qualities that are learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.bncr_gan.block import LearnedLoss
from noiseedit.noises.differentiable_jpeg import DifferentiableJPEG
from noiseedit.registry import MODELS


@MODELS.register_module()
class LearnedCompression(LearnedLoss):
    """JPEG of BNCR-GAN, in our reading: ``m JPEG(x, q) + (1 - m) x``.

    The network gives two numbers: q = low + (high - low) sigmoid(first), m = sigmoid(second).
    Penalty: see :class:`LearnedLoss`, of x - JPEG(x, q) without the mask, the strength is
    (100 - q) / 100. Images are clamped to [-1, 1] before they are compressed, as 8-bit images are.

    Args:
        network: Config of the generator of qualities: 2 numbers.
        quality: Lowest and highest quality, in [1, 100].
        weight: Factor of the penalty.
        mu: How fast the penalty fades with strength.
        jpeg: Further arguments of
            :class:`~noiseedit.noises.differentiable_jpeg.DifferentiableJPEG`.

    Raises:
        ConfigError: If ``quality`` is no range in [1, 100].
    """

    name = 'compression'

    def __init__(
        self,
        network: Mapping[str, Any] | nn.Module,
        quality: Sequence[float] = (1, 100),
        weight: float = 1.0,
        mu: float = 1.0,
        jpeg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(network, 2, weight, mu)
        self.low, self.high = quality
        if not 1 <= self.low < self.high <= 100:
            raise ConfigError(
                f'LearnedCompression.quality: expected 1 <= low < high <= 100, got {quality}'
            )
        self.jpeg = DifferentiableJPEG(100, **(jpeg or {}))

    def quality(self, drawn: Tensor) -> Tensor:
        """Return q, (N, 1, 1, 1)."""
        return (self.low + (self.high - self.low) * drawn[:, 0].sigmoid()).view(-1, 1, 1, 1)

    def compressed(self, image: Tensor, quality: Tensor) -> Tensor:
        """Return JPEG(x, q) of (N, C, H, W) in [-1, 1]."""
        params, nothing = {'quality': quality}, torch.Generator()
        return 2 * self.jpeg.apply(image.clamp(-1, 1) / 2 + 0.5, params, nothing) - 1

    def degrade(self, image: Tensor, drawn: Tensor) -> Tensor:
        """Return the compressed images, each as far as its mask says."""
        mask = drawn[:, 1].sigmoid().view(-1, 1, 1, 1)
        return torch.lerp(image, self.compressed(image, self.quality(drawn)), mask)

    def difference(self, clean: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``x - JPEG(x, q)`` and (100 - q) / 100."""
        quality = self.quality(drawn)
        return clean - self.compressed(clean, quality), (100 - quality.flatten()) / 100

"""Blur by kernels that are learnt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.errors import ConfigError
from noiseedit.models.bncr_gan.block import LearnedLoss
from noiseedit.noises.measurement import filtered
from noiseedit.registry import MODELS


@MODELS.register_module()
class LearnedBlur(LearnedLoss):
    """Blur of BNCR-GAN, in our reading: ``x * k``, ``k = m softmax(a) + (1 - m) delta``.

    The network gives a (size x size numbers) and the mask m = sigmoid(last). Penalty: see
    :class:`LearnedLoss`, the strength is the entropy of k in nats. The border is repeated.

    Args:
        network: Config of the kernel generator: size^2 + 1 numbers.
        size: Side of the kernel in pixels, odd.
        weight: Factor of the penalty.
        mu: How fast the penalty fades with entropy.

    Raises:
        ConfigError: If ``size`` is even.
    """

    name = 'blur'

    def __init__(
        self,
        network: Mapping[str, Any] | nn.Module,
        size: int = 11,
        weight: float = 1.0,
        mu: float = 1.0,
    ) -> None:
        if size < 1 or size % 2 == 0:
            raise ConfigError(f'LearnedBlur.size: expected an odd number >= 1, got {size}')
        super().__init__(network, size**2 + 1, weight, mu)
        self.size = size

    def kernels(self, drawn: Tensor) -> Tensor:
        """Return k, (N, size, size): not negative, of sum 1."""
        mask = drawn[:, -1:].sigmoid()
        point = torch.zeros(self.size**2, device=drawn.device)
        point[self.size**2 // 2] = 1
        kernels = mask * drawn[:, :-1].softmax(1) + (1 - mask) * point
        return kernels.view(-1, self.size, self.size)

    def degrade(self, image: Tensor, drawn: Tensor) -> Tensor:
        """Return the blurred images."""
        return blurred(image, self.kernels(drawn))

    def difference(self, clean: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``x - x * k`` and the entropy of k."""
        kernels = self.kernels(drawn)
        entropy = torch.special.entr(kernels.detach()).sum((1, 2))
        return clean - blurred(clean, kernels), entropy


def blurred(image: Tensor, kernels: Tensor) -> Tensor:
    """Correlate (N, C, H, W) images, each with its own kernel (N, K, K); the border is repeated."""
    edge = kernels.shape[-1] // 2
    wide = functional.pad(image, (edge, edge, edge, edge), mode='replicate')
    height, width = image.shape[-2:]
    return filtered(wide, kernels)[..., edge : edge + height, edge : edge + width]

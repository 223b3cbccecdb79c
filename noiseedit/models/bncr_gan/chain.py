"""Degradations one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.bncr_gan.block import LearnedLoss
from noiseedit.models.nr_gan.degradation import Degraded
from noiseedit.registry import MODELS


@MODELS.register_module()
class DegradationChain(nn.Module):
    """Any degradations, learnt or simulated, one after another; each sees what the last one made.

    BNCR-GAN, in our reading: blur, then noise, then compression. Blocks that lose information
    compare with the clean image in their penalties.

    Args:
        blocks: Name -> config of a degradation, in order.

    Raises:
        ConfigError: If there are no blocks.
    """

    def __init__(self, blocks: Mapping[str, Mapping[str, Any] | nn.Module]) -> None:
        super().__init__()
        if not blocks:
            raise ConfigError('DegradationChain.blocks: expected at least one degradation')
        self.blocks = nn.ModuleDict(
            {
                name: spec if isinstance(spec, nn.Module) else MODELS.build(dict(spec))
                for name, spec in blocks.items()
            }
        )

    def forward(self, image: Tensor, latent: Tensor, generator: torch.Generator) -> Degraded:
        """Return the degraded images; noise and scale are those of the last block that has any.

        Args:
            image: Clean images (N, C, H, W) in [-1, 1].
            latent: Those from which they were generated, (N, d).
            generator: Source of all randomness.
        """
        chained = Degraded(image, None, {})
        for name, block in self.blocks.items():
            known = {'clean': image} if isinstance(block, LearnedLoss) else {}
            made = block(chained.image, latent, generator, **known)
            chained = _joined(chained, made, name)
        return chained


def _joined(before: Degraded, made: Degraded, name: str) -> Degraded:
    penalties = {
        (term if term == name else f'{name}_{term}'): value
        for term, value in made.penalties.items()
    }
    return Degraded(
        made.image,
        before.noise if made.noise is None else made.noise,
        {**before.penalties, **penalties},
        before.scale if made.scale is None else made.scale,
    )

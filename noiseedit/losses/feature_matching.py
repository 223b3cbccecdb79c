"""Feature matching: generated images look to the discriminator as real ones do.

Wang, Liu, Zhu, Tao, Kautz, Catanzaro: High-Resolution Image Synthesis and Semantic Manipulation
with Conditional GANs. CVPR 2018, equation 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from noiseedit.losses.pixel import l1
from noiseedit.registry import LOSSES

Layers: TypeAlias = Sequence[Sequence[Tensor]]


def feature_matching(fake: Layers, real: Layers) -> Tensor:
    """Return the mean over scales of sum over layers of mean |D(fake) - D(real)|.

    Args:
        fake: Per scale the outputs of the discriminator's layers; the last, its logits, is left
            out. Gradients flow through it.
        real: Likewise of the real images; no gradients.
    """
    terms = [
        l1(ours.float(), theirs.detach().float())
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for ours, theirs in zip(fake_scale[:-1], real_scale[:-1], strict=True)
    ]
    return torch.stack(terms).sum() / len(fake)


@LOSSES.register_module()
class FeatureMatchingLoss(nn.Module):
    """See :func:`feature_matching`.

    Args:
        weight: Factor of the loss.
    """

    def __init__(self, weight: float = 10.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, fake: Layers, real: Layers) -> Tensor:
        """Return the weighted loss."""
        return self.weight * feature_matching(fake, real)

"""Adversarial losses: what a discriminator says of real and of generated images.

Every formula takes logits of any shape and returns their mean loss. A discriminator of several
scales gives a list of logits: the loss is the mean over scales (Park et al. 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.registry import LOSSES

Logits: TypeAlias = Tensor | Sequence[Tensor]


def over_scales(formula: Callable[[Tensor], Tensor], logits: Logits) -> Tensor:
    """Return the mean of ``formula`` over scales, computed in float32."""
    scales = [logits] if isinstance(logits, Tensor) else logits
    return torch.stack([formula(scale.float()) for scale in scales]).mean()


class GANLoss(nn.Module):
    """Base: three terms of the logits; a subclass gives their formulas.

    Args:
        weight: Factor of the generator's term.
        d_weight: Factor of the discriminator's two terms.
    """

    def __init__(self, weight: float = 1.0, d_weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight
        self.d_weight = d_weight

    def real(self, logits: Logits) -> Tensor:
        """Return the discriminator's loss on real images."""
        return self.d_weight * over_scales(self.d_real, logits)

    def fake(self, logits: Logits) -> Tensor:
        """Return the discriminator's loss on generated images."""
        return self.d_weight * over_scales(self.d_fake, logits)

    def generator(self, logits: Logits) -> Tensor:
        """Return the generator's loss on the logits of its images."""
        return self.weight * over_scales(self.g_fake, logits)

    def d_real(self, logits: Tensor) -> Tensor:
        """Formula of :meth:`real`, without weight."""
        raise NotImplementedError(f'{type(self).__name__} must implement d_real')

    def d_fake(self, logits: Tensor) -> Tensor:
        """Formula of :meth:`fake`, without weight."""
        raise NotImplementedError(f'{type(self).__name__} must implement d_fake')

    def g_fake(self, logits: Tensor) -> Tensor:
        """Formula of :meth:`generator`, without weight."""
        raise NotImplementedError(f'{type(self).__name__} must implement g_fake')

    def extra_repr(self) -> str:
        """Show the weights."""
        return f'weight={self.weight}, d_weight={self.d_weight}'


@LOSSES.register_module()
class VanillaGANLoss(GANLoss):
    """Goodfellow et al. 2014, non-saturating: -log s(real), -log(1 - s(fake)); G: -log s(fake).

    ``s`` is the sigmoid; the binary cross-entropy is computed from the logits.
    """

    def d_real(self, logits: Tensor) -> Tensor:
        """Return mean softplus(-logits)."""
        return functional.softplus(-logits).mean()

    def d_fake(self, logits: Tensor) -> Tensor:
        """Return mean softplus(logits)."""
        return functional.softplus(logits).mean()

    def g_fake(self, logits: Tensor) -> Tensor:
        """Return mean softplus(-logits)."""
        return functional.softplus(-logits).mean()


@LOSSES.register_module()
class LeastSquaresGANLoss(GANLoss):
    """Mao et al. 2017 with labels 1 and 0, without the factor 1/2."""

    def d_real(self, logits: Tensor) -> Tensor:
        """Return mean (logits - 1)^2."""
        return (logits - 1).square().mean()

    def d_fake(self, logits: Tensor) -> Tensor:
        """Return mean logits^2."""
        return logits.square().mean()

    def g_fake(self, logits: Tensor) -> Tensor:
        """Return mean (logits - 1)^2."""
        return (logits - 1).square().mean()


@LOSSES.register_module()
class HingeGANLoss(GANLoss):
    """Lim & Ye 2017: max(0, 1 - real), max(0, 1 + fake); G: -fake."""

    def d_real(self, logits: Tensor) -> Tensor:
        """Return mean max(0, 1 - logits)."""
        return functional.relu(1 - logits).mean()

    def d_fake(self, logits: Tensor) -> Tensor:
        """Return mean max(0, 1 + logits)."""
        return functional.relu(1 + logits).mean()

    def g_fake(self, logits: Tensor) -> Tensor:
        """Return -mean logits."""
        return -logits.mean()


@LOSSES.register_module()
class WassersteinGANLoss(GANLoss):
    """Arjovsky et al. 2017: -real + fake; G: -fake. The critic needs a Lipschitz penalty."""

    def d_real(self, logits: Tensor) -> Tensor:
        """Return -mean logits."""
        return -logits.mean()

    def d_fake(self, logits: Tensor) -> Tensor:
        """Return mean logits."""
        return logits.mean()

    def g_fake(self, logits: Tensor) -> Tensor:
        """Return -mean logits."""
        return -logits.mean()

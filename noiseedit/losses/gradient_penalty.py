"""The gradient penalty of Wasserstein GANs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from noiseedit.noises.random import Generator, uniform
from noiseedit.registry import LOSSES


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, generator: Generator
) -> Tensor:
    """Return E (||grad D(u real + (1 - u) fake)|| - 1)^2, u ~ U(0, 1) per image.

    Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs. NIPS
    2017, equation 3.

    Args:
        critic: (N, C, H, W) -> (N,) logits.
        real: (N, C, H, W).
        fake: As many generated images.
        generator: Source of u.
    """
    u = uniform((len(real), 1, 1, 1), generator).to(real.device)
    mixed = torch.lerp(fake.detach().float(), real.detach().float(), u).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(mixed).float().sum(), mixed, create_graph=True)
    return (gradient.float().flatten(1).norm(dim=1) - 1).square().mean()


@LOSSES.register_module()
class GradientPenalty(nn.Module):
    """See :func:`gradient_penalty`.

    Args:
        weight: Lambda of the paper.
    """

    def __init__(self, weight: float = 10.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(
        self,
        critic: Callable[[Tensor], Tensor],
        real: Tensor,
        fake: Tensor,
        generator: Generator,
    ) -> Tensor:
        """Return the weighted penalty."""
        return self.weight * gradient_penalty(critic, real, fake, generator)

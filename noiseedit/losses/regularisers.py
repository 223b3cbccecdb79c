"""Terms that keep a network tame: gradient penalty of a discriminator, smoothness, diversity."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from noiseedit.losses.gan import Logits
from noiseedit.registry import LOSSES


def r1_penalty(logits: Logits, images: Tensor) -> Tensor:
    """Return 1/2 E ||grad D(x)||^2 over real images (Mescheder et al. 2018, equation 9, gamma 1).

    Args:
        logits: D(images), of any shape with first dimension N; their sum per image, and over
            scales, is D(x).
        images: (N, C, H, W) with ``requires_grad``, from which ``logits`` were computed.
    """
    scales = [logits] if isinstance(logits, Tensor) else logits
    total = torch.stack([scale.float().sum() for scale in scales]).sum()
    (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return 0.5 * gradient.float().square().flatten(1).sum(1).mean()


def total_variation(image: Tensor) -> Tensor:
    """Return mean |horizontal difference| + mean |vertical difference| of (N, C, H, W)."""
    horizontal = image[..., :, 1:] - image[..., :, :-1]
    vertical = image[..., 1:, :] - image[..., :-1, :]
    return horizontal.abs().mean() + vertical.abs().mean()


def diversity_ratio(noise: Tensor, latent: Tensor) -> Tensor:
    """Return mean_i |n_i - n_j| / (|z_i - z_j| + 1e-12), j = i + N/2.

    Yang et al., *Diversity-Sensitive Conditional Generative Adversarial Networks*, ICLR 2019,
    without the paper's cap, as NR-GAN uses it.

    ``|.|`` is the mean absolute value over all elements; N is even, or the last sample has no pair.

    Args:
        noise: n, (N, ...).
        latent: z, from which ``noise`` was made, (N, ...).

    Raises:
        ValueError: If there is no pair, or not one latent per sample.
    """
    pairs = len(noise) // 2
    if pairs < 1 or len(latent) != len(noise):
        raise ValueError(
            f'diversity: expected at least 2 samples with a latent each, got {len(noise)} samples '
            f'and {len(latent)} latents; raise batch_size'
        )
    changed, distance = (
        (t[:pairs] - t[pairs : 2 * pairs]).float().abs().flatten(1).mean(1) for t in (noise, latent)
    )
    return (changed / (distance + 1e-12)).mean()


@LOSSES.register_module()
class DiversityLoss(nn.Module):
    """Minus :func:`diversity_ratio`: different latents are to give different images.

    Args:
        weight: Factor of the loss.
    """

    def __init__(self, weight: float = 0.02) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, noise: Tensor, latent: Tensor) -> Tensor:
        """Return the weighted loss, at most 0."""
        return -self.weight * diversity_ratio(noise, latent)


@LOSSES.register_module()
class R1Penalty(nn.Module):
    """See :func:`r1_penalty`.

    Args:
        weight: The gamma of the paper.
    """

    def __init__(self, weight: float = 10.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, logits: Logits, images: Tensor) -> Tensor:
        """Return the weighted penalty."""
        return self.weight * r1_penalty(logits, images)


@LOSSES.register_module()
class TotalVariationLoss(nn.Module):
    """See :func:`total_variation`; stands among the pixel losses, the target is not used.

    Args:
        weight: Factor of the loss.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pred: Tensor, target: Tensor | None = None) -> Tensor:
        """Return the weighted loss."""
        return self.weight * total_variation(pred.float())

"""What a discriminator sees of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.registry import MODELS


@MODELS.register_module()
class BlurView(nn.Module):
    """The image blurred down the columns and along the rows, 2 C channels: hides discrete values.

    Each blur is ``[1, 2, 1] / 4`` with zero padding (NR-GAN, for Poisson noise: counts come in
    steps, their Gaussian approximation does not).
    """

    factor = 2
    """Channels seen, per channel of the image."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the vertical, then the horizontal blur: (N, C, H, W) -> (N, 2 C, H, W)."""
        tall = functional.pad(image, (0, 0, 1, 1))
        wide = functional.pad(image, (1, 1))
        vertical = tall[:, :, :-2] + 2 * image + tall[:, :, 2:]
        horizontal = wide[..., :-2] + 2 * image + wide[..., 2:]
        return torch.cat([vertical, horizontal], dim=1) / 4

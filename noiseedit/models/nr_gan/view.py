"""What a discriminator sees of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.models.nr_gan.settings import DataNoise, is_discrete, law_of
from noiseedit.registry import MODELS


@MODELS.register_module()
class BlurView(nn.Module):
    """The image blurred down the columns and along the rows, 2 C channels: hides discrete values.

    Each blur is ``[1, 2, 1] / 4`` with zero padding. NR-GAN shows it to the discriminator where the
    data have Poisson noise: counts come in steps, their Gaussian approximation does not.

    Args:
        data_noise: Spec of the training noise; filled from ``config.noise``.
        always: Blur whatever the noise; False: only if ``data_noise`` is discrete, else the
            discriminator sees the image itself.
    """

    def __init__(self, data_noise: DataNoise = None, *, always: bool = False) -> None:
        super().__init__()
        self.active = always or is_discrete(law_of(data_noise))
        self.factor = 2 if self.active else 1  # channels seen, per channel of the image

    def forward(self, image: Tensor) -> Tensor:
        """Return the vertical, then the horizontal blur: (N, C, H, W) -> (N, 2 C, H, W)."""
        if not self.active:
            return image
        tall = functional.pad(image, (0, 0, 1, 1))
        wide = functional.pad(image, (1, 1))
        vertical = tall[:, :, :-2] + 2 * image + tall[:, :, 2:]
        horizontal = wide[..., :-2] + 2 * image + wide[..., 2:]
        return torch.cat([vertical, horizontal], dim=1) / 4

    def extra_repr(self) -> str:
        """Show whether it blurs."""
        return f'active={self.active}'

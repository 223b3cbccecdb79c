"""The last step from a generated noisy image to one that looks like those of the data."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from noiseedit.noises.random import uniform_like

DITHER = 1 / 128  # one 8-bit step of images in [-1, 1]
DATA_SCALE = 255 / 256  # what dequantisation multiplies real images by, their noise included


class Finish(NamedTuple):
    """What noisy images pass before a discriminator sees them.

    Attributes:
        clip: Clamp real and generated images to [-1, 1], as noisy data are clipped.
        dither_fakes: Add U(0, 1/128) to generated images before the clamp, as dequantisation adds
            to real ones: saturated pixels then no longer give them away. Not as published; clean
            images then come to lie at the lower edge of their 8-bit step, half a level darker.
        scale_noise: Multiply generated noise by 255/256, as dequantisation multiplies that of the
            data: learnt levels then have the unit of the data's noise. Not as published.
    """

    clip: bool = True
    dither_fakes: bool = False
    scale_noise: bool = False

    def __call__(self, clean: Tensor, noisy: Tensor, generator: torch.Generator) -> Tensor:
        """Return generated noisy images as they are shown.

        Args:
            clean: (N, C, H, W) in [-1, 1].
            noisy: The same images with noise, not clamped.
            generator: Source of the dither.
        """
        if self.scale_noise:
            noisy = torch.lerp(clean.float(), noisy.float(), DATA_SCALE)
        if self.dither_fakes:
            noisy = noisy + DITHER * uniform_like(noisy, generator)
        return self.clamp(noisy)

    def clamp(self, image: Tensor) -> Tensor:
        """Clamp to [-1, 1] if set."""
        return image.clamp(-1, 1) if self.clip else image

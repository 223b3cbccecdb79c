"""Earlier generated images for the discriminator, so that it does not forget them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from noiseedit.errors import ConfigError


class ImagePool:
    """Give back each image, or an earlier one in exchange with probability 1/2.

    Shrivastava et al., *Learning from Simulated and Unsupervised Images through Adversarial
    Training*, CVPR 2017, section 2.3, in the form of CycleGAN (appendix 7.1). Until the pool is
    full every image is kept and given back.

    Args:
        size: Images kept; 0: none, every image is given back.

    Raises:
        ConfigError: If ``size`` is no whole number >= 0.
    """

    def __init__(self, size: int = 50) -> None:
        if not isinstance(size, int) or size < 0:
            raise ConfigError(f'pool_size: expected a whole number >= 0, got {size!r}')
        self.size = size
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return as many images, detached; those of a batch enter one after another.

        Args:
            images: (N, C, H, W); batches of one may differ in size.
            generator: Decides; two draws per image, whether they are used or not.
        """
        images = images.detach()
        if self.size == 0:
            return images
        draws = torch.rand((len(images), 2), generator=generator, device=generator.device).tolist()
        pairs = zip(images, draws, strict=True)
        return torch.stack([self._one(image, *draw) for image, draw in pairs])

    def _one(self, image: Tensor, coin: float, place: float) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if coin >= 0.5:
            return image
        index = int(place * self.size)
        earlier, self.images[index] = self.images[index], image.clone()
        return earlier

    def load(self, images: Sequence[Tensor], device: torch.device) -> None:
        """Take up the images of an earlier run; a smaller pool keeps the first."""
        self.images = [image.to(device) for image in images[: self.size]]

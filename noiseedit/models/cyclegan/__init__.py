"""CycleGAN: translation between two folders without pairs."""

from noiseedit.models.cyclegan.model import CycleGAN
from noiseedit.models.cyclegan.pool import ImagePool

__all__ = ['CycleGAN', 'ImagePool']

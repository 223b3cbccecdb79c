"""Class-conditional GANs that stand label noise (rGAN) and overlapping classes (CP-GAN)."""

from noiseedit.models.conditional_gan.labels import LabelledPreprocessor
from noiseedit.models.conditional_gan.model import ConditionalGAN
from noiseedit.models.conditional_gan.networks import (
    ConditionalDiscriminator,
    ConditionalGenerator,
    Judgement,
)

__all__ = [
    'ConditionalDiscriminator',
    'ConditionalGAN',
    'ConditionalGenerator',
    'Judgement',
    'LabelledPreprocessor',
]

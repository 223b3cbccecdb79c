"""BNCR-GAN: clean images from blurred, noisy and compressed ones; all three are learnt."""

from noiseedit.models.bncr_gan.blur import LearnedBlur
from noiseedit.models.bncr_gan.chain import DegradationChain
from noiseedit.models.bncr_gan.compression import LearnedCompression
from noiseedit.models.bncr_gan.networks import VectorGenerator

__all__ = ['DegradationChain', 'LearnedBlur', 'LearnedCompression', 'VectorGenerator']

"""The NR-GAN family: clean image generators learnt from noisy images only."""

from noiseedit.models.nr_gan import constraints, priors, view
from noiseedit.models.nr_gan.degradation import (
    Degraded,
    LearnedNoise,
    NoDegradation,
    SimulatedNoise,
)
from noiseedit.models.nr_gan.model import NRGAN
from noiseedit.models.nr_gan.networks import NRGANDiscriminator, NRGANGenerator
from noiseedit.models.nr_gan.residual import ResidualGANDiscriminator, ResidualGANGenerator

__all__ = [
    'NRGAN',
    'Degraded',
    'LearnedNoise',
    'NRGANDiscriminator',
    'NRGANGenerator',
    'NoDegradation',
    'ResidualGANDiscriminator',
    'ResidualGANGenerator',
    'SimulatedNoise',
    'constraints',
    'priors',
    'view',
]

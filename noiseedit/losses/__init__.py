"""Loss terms: pure functions and the registered classes over them."""

from noiseedit.losses.feature_matching import FeatureMatchingLoss
from noiseedit.losses.gan import (
    GANLoss,
    HingeGANLoss,
    LeastSquaresGANLoss,
    VanillaGANLoss,
    WassersteinGANLoss,
)
from noiseedit.losses.gradient_penalty import GradientPenalty
from noiseedit.losses.perceptual import PerceptualLoss
from noiseedit.losses.pixel import CharbonnierLoss, L1Loss, MSELoss
from noiseedit.losses.regularisers import DiversityLoss, R1Penalty, TotalVariationLoss

__all__ = [
    'CharbonnierLoss',
    'DiversityLoss',
    'FeatureMatchingLoss',
    'GANLoss',
    'GradientPenalty',
    'HingeGANLoss',
    'L1Loss',
    'LeastSquaresGANLoss',
    'MSELoss',
    'PerceptualLoss',
    'R1Penalty',
    'TotalVariationLoss',
    'VanillaGANLoss',
    'WassersteinGANLoss',
]

"""Theory of noise injection: spectra, divergences, and the training level they recommend.

Float64 NumPy and SciPy; no torch, no GPU. After Shi et al., "On the Analysis of GAN-based
Image-to-Image Translation with Gaussian Noise Injection", ICLR 2024.
"""

from noiseedit.theory.arbitrary_source import best_train_variance, theta, theta_derivative
from noiseedit.theory.divergence import (
    DivergenceBalance,
    divergence_balance,
    divergence_derivative,
    eta,
    f_divergence,
)
from noiseedit.theory.entropy import entropy_gain, negentropy, negentropy_gap, rho, small_noise_gap
from noiseedit.theory.estimate import (
    DeploymentLevels,
    deployment_levels,
    estimate_noise_variance,
    half_size_ratio,
)
from noiseedit.theory.generators import DIVERGENCES
from noiseedit.theory.laws import GaussianMixture, LabelledLaw, gaussian
from noiseedit.theory.mismatch import gaussian_kl, gaussian_kl_full, kl_table
from noiseedit.theory.monte_carlo import (
    Estimate,
    MatrixEstimate,
    sampled_derivative,
    sampled_divergence,
    sampled_eta,
)
from noiseedit.theory.noise_level import (
    average_kl,
    average_matched_kl,
    average_variance,
    break_even_variance,
    clean_variance,
    minimax_variance,
    random_level_information,
)
from noiseedit.theory.noise_shape import (
    coloured_variance,
    matched_kl,
    matched_variance,
    salt_pepper_moments,
    second_moments,
    signal_dependent_variance,
)
from noiseedit.theory.patches import PatchStatistics, patch_statistics
from noiseedit.theory.spectrum import (
    Spectrum,
    correct_noise,
    dft_spectrum,
    floor_eigenvalues,
    patch_spectrum,
    rounding_variance,
    spectral_slope,
    usable_spectrum,
)
from noiseedit.theory.units import convert_variance, range_limits, range_width, sigma_255

__all__ = [
    'DIVERGENCES',
    'DeploymentLevels',
    'DivergenceBalance',
    'Estimate',
    'GaussianMixture',
    'LabelledLaw',
    'MatrixEstimate',
    'PatchStatistics',
    'Spectrum',
    'average_kl',
    'average_matched_kl',
    'average_variance',
    'best_train_variance',
    'break_even_variance',
    'clean_variance',
    'coloured_variance',
    'convert_variance',
    'correct_noise',
    'deployment_levels',
    'dft_spectrum',
    'divergence_balance',
    'divergence_derivative',
    'entropy_gain',
    'estimate_noise_variance',
    'eta',
    'f_divergence',
    'floor_eigenvalues',
    'gaussian',
    'gaussian_kl',
    'gaussian_kl_full',
    'half_size_ratio',
    'kl_table',
    'matched_kl',
    'matched_variance',
    'minimax_variance',
    'negentropy',
    'negentropy_gap',
    'patch_spectrum',
    'patch_statistics',
    'random_level_information',
    'range_limits',
    'range_width',
    'rho',
    'rounding_variance',
    'salt_pepper_moments',
    'sampled_derivative',
    'sampled_divergence',
    'sampled_eta',
    'second_moments',
    'sigma_255',
    'signal_dependent_variance',
    'small_noise_gap',
    'spectral_slope',
    'theta',
    'theta_derivative',
    'usable_spectrum',
]

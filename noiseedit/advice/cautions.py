"""What to say with a recommendation: warnings about this case, and limits of every case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from noiseedit.advice.moments import VARIATION
from noiseedit.advice.noise import NoiseModel
from noiseedit.advice.prior import TestInputs
from noiseedit.theory import negentropy, sigma_255
from noiseedit.theory.patches import PatchStatistics
from noiseedit.theory.spectrum import Spectrum

LIMITS = (
    'The source is taken for Gaussian: of the images only mean and covariance of patches count.',
    'A divergence of the inputs bounds that of the outputs from above; outputs may differ less.',
    'Absolute values grow with the patch dimension: compare levels, not data sets or patch sizes.',
    'A divergence is no quality: this does not predict FID or any other score.',
)
CLIPPED_VARIANCE, CLIPPED_MEAN = 0.3408, -0.3989  # of N(0, 1), what is above 0 cut to 0
NEAR_LIMITS = 0.01  # share of pixels that may be near a limit unmentioned
PATCHES_PER_DIMENSION = 10
CORRELATED = 2.0  # half_size_ratio from which estimates are doubtful
NOISY_DATA = 0.05  # of lambda_max


@dataclass(frozen=True, eq=False)
class Case:
    """All that warnings depend on.

    Attributes:
        statistics: Of the data.
        spectrum: Its eigenvalues as used.
        model: The noise.
        inputs: What the network meets at test.
        data_variance: Estimated variance of noise in the data themselves.
        half_size_ratio: Of the deployment images, see :func:`~noiseedit.theory.half_size_ratio`.
        law: Of noise known to be white, else ``None``.
        range_given: Whether the user said what the value range is.
    """

    statistics: PatchStatistics
    spectrum: Spectrum
    model: NoiseModel
    inputs: TestInputs
    data_variance: float
    half_size_ratio: float | None
    law: str | None
    range_given: bool

    @property
    def top(self) -> float:
        """``lambda_max``."""
        return float(self.inputs.levels[-1])

    @property
    def value_range(self) -> str:
        """Of all variances."""
        return self.statistics.value_range


def limits(case: Case) -> list[str]:
    """Return the limits of the recommendation."""
    gap = negentropy(case.law) if case.law else 0.0
    if not gap:
        return list(LIMITS)
    law = f'The divergences are those of Gaussian noise of the same variance; {case.law} noise'
    return [*LIMITS, f'{law} adds up to {gap:.3f} nats per dimension, the same in every training.']


def warnings(case: Case) -> list[str]:
    """Return what makes this recommendation less sure, most important first."""
    return [
        *_about_range(case),
        *_about_estimates(case),
        *_about_noise(case),
        *_about_clipping(case),
        *_about_data(case),
    ]


def _about_range(case: Case) -> Iterator[str]:
    if not case.range_given:
        yield (
            f'the value range was not given: {case.value_range} is assumed. In [0,1] the same '
            'variance is twice the 8-bit sigma; say --range'
        )
    if case.top == 0:
        yield (
            'the largest test variance is 0 or unknown: without test noise there is no reason to '
            'train with noise; say --max-sigma, --max-variance or --deployment'
        )


def _about_estimates(case: Case) -> Iterator[str]:
    ratio = case.half_size_ratio
    if ratio is not None and ratio > CORRELATED:
        yield (
            f'averaging 2 x 2 pixels leaves {ratio:.1f} times what it leaves of white noise: noise '
            'of the deployment images is correlated (camera, compression, resizing), and then '
            'several times stronger than estimated, or it is weaker than fine texture. Measure it '
            'on repeated shots and say --max-sigma'
        )


def _about_noise(case: Case) -> Iterator[str]:
    found = case.model.strongest
    if found is None:
        return
    if found.kind == 'general':
        yield (
            f'the noise moves the mean: {found.bias:.1%} of its mean square is bias that depends '
            'on the pixel; the average rule does not hold, see the matched rule'
        )
    if found.colour > VARIATION:
        yield (
            'the noise is coloured: its energy differs between directions by '
            f'{np.sqrt(found.colour):.0%}; half of lambda_max is not the right level, see the '
            'matched rule'
        )
    if found.dependence > VARIATION:
        yield (
            'the noise depends on the signal: its variance varies by '
            f'{np.sqrt(found.dependence):.0%} over pixel values; its mean over the data counts'
        )
    yield from _about_levels(case, float(case.model.variances[-1]))


def _about_levels(case: Case, measured: float) -> Iterator[str]:
    if len(case.model.variances) == 1 or measured < 0.9 * case.top:
        yield (
            f'the noise was measured up to a variance of {_both(case, measured)}; stronger and '
            'weaker noise is taken to be the same, scaled'
        )


def _about_clipping(case: Case) -> Iterator[str]:
    share = case.statistics.share_near_limits(np.sqrt(case.top))
    if case.top and share > NEAR_LIMITS:
        yield (
            f'{share:.1%} of the pixels lie within two sigma of black or white at the strongest '
            'noise. If noisy images are clipped, noise at a saturated pixel keeps '
            f'{CLIPPED_VARIANCE} of its variance and gains a mean of {CLIPPED_MEAN} sigma; '
            'the theory takes it unclipped'
        )


def _about_data(case: Case) -> Iterator[str]:
    count, needed = case.statistics.count, PATCHES_PER_DIMENSION * case.statistics.dimension
    if count < needed:
        yield (
            f'few patches: {count} for {case.statistics.dimension} dimensions; small eigenvalues '
            f'come out too small. Give more images (at least {needed} patches)'
        )
    if case.spectrum.floored:
        yield (
            f'{case.spectrum.floored} of {case.statistics.dimension} eigenvalues were below '
            f'{case.spectrum.floor:.3g} and raised to it; minimax, clean cost and break-even '
            'depend on that floor'
        )
    yield from _about_data_noise(case)


def _about_data_noise(case: Case) -> Iterator[str]:
    if case.spectrum.noise_variance:
        yield (
            f'noise of variance {_both(case, case.spectrum.noise_variance)} was taken off the '
            'spectrum of the data'
        )
    elif case.data_variance > NOISY_DATA * case.top > 0:
        yield (
            'the data seem noisy themselves, or have fine texture: estimated variance '
            f'{_both(case, case.data_variance)}; --data-noise takes it off the spectrum'
        )


def _both(case: Case, variance: float) -> str:
    return f'{variance:.3g} ({sigma_255(variance, case.value_range):.3g}/255)'

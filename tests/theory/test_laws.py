"""One-dimensional laws: densities against numerical convolution, scores, moments, samples."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from noiseedit.errors import ConfigError, DataError, UnknownNameError
from noiseedit.theory import GaussianMixture, LabelledLaw, gaussian
from noiseedit.theory.components import NOISES

MIXTURE = GaussianMixture((0.3, 0.7), (-2.0, 1.0), (0.25, 0.5))
VARIANCES = (1e-6, 0.04, 1.5)
NOISY = [(noise, v) for noise in NOISES for v in VARIANCES]
X = np.linspace(-9, 9, 2001)


def noise_law(noise, v):
    """Return the noise as SciPy knows it."""
    if noise == 'uniform':
        a = math.sqrt(3 * v)
        return stats.uniform(-a, 2 * a)
    return stats.laplace(0, math.sqrt(v / 2)) if noise == 'laplace' else stats.norm(0, v**0.5)


def gaussian_part(law, x):
    parts = zip(law.weights, law.means, law.variances, strict=True)
    return sum(w * stats.norm.pdf(x, m, c**0.5) for w, m, c in parts)


def convolved(law, noise, v, x):
    """Return the density of the sum at one point by adaptive quadrature over the noise."""
    added = noise_law(noise, v)
    low, high = added.ppf([1e-17, 1 - 1e-16]) if noise != 'uniform' else added.support()

    def integrand(n):
        return gaussian_part(law, x - n) * added.pdf(n)

    return integrate.quad(integrand, low, high, points=[0.0], epsabs=0, epsrel=1e-11, limit=400)[0]


@pytest.mark.parametrize(('noise', 'v'), NOISY)
@pytest.mark.parametrize('x', [-3.3, -0.4, 0.9, 4.0])
def test_density_is_the_convolution(noise, v, x):
    found = float(np.exp(MIXTURE.with_noise(v, noise).log_density(x)))
    assert found == pytest.approx(convolved(MIXTURE, noise, v, x), rel=1e-9)


@pytest.mark.parametrize(('noise', 'v'), NOISY)
def test_density_integrates_to_one_with_the_right_moments(noise, v):
    law = MIXTURE.with_noise(v, noise)
    x = np.linspace(-40, 40, 80_001)
    density = np.exp(law.log_density(x))
    mean = integrate.simpson(density * x, x=x)
    assert integrate.simpson(density, x=x) == pytest.approx(1, abs=1e-12)
    assert mean == pytest.approx(law.mean, abs=1e-12)
    assert integrate.simpson(density * (x - mean) ** 2, x=x) == pytest.approx(law.variance, 1e-11)
    assert law.mean == pytest.approx(MIXTURE.mean)
    assert law.variance == pytest.approx(MIXTURE.variance + v)


@pytest.mark.parametrize(('noise', 'v'), NOISY)
def test_score_is_the_slope_of_the_log_density(noise, v):
    law = MIXTURE.with_noise(v, noise)
    h = 1e-3
    ahead, behind = (law.log_density(X + s * h) - law.log_density(X - s * h) for s in (1, 2))
    np.testing.assert_allclose(law.score(X), (8 * ahead - behind) / (12 * h), rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize('noise', NOISES)
def test_no_noise_is_the_identity(noise):
    assert MIXTURE.with_noise(0.0, noise) == MIXTURE
    near = MIXTURE.with_noise(1e-12, noise)
    np.testing.assert_allclose(near.log_density(X), MIXTURE.log_density(X), atol=1e-9)


def test_gaussian_noise_adds_variances_in_any_order():
    assert MIXTURE.with_noise(0.25).variances == (0.5, 0.75)
    first = MIXTURE.with_noise(0.2, 'uniform').with_noise(0.3)
    assert first == MIXTURE.with_noise(0.3).with_noise(0.2, 'uniform')


@pytest.mark.parametrize('noise', ['uniform', 'laplace'])
@pytest.mark.parametrize('share', [0.99e-8, 1.01e-8])
def test_tiny_noise_joins_the_exact_density_smoothly(noise, share):
    found = gaussian(0, 1).with_noise(share, noise)
    expected = gaussian(0, 1 + share)
    np.testing.assert_allclose(found.log_density(X), expected.log_density(X), atol=1e-11)
    np.testing.assert_allclose(found.score(X), expected.score(X), atol=1e-10)


@pytest.mark.parametrize('noise', NOISES)
def test_far_tails_are_finite_and_fall(noise):
    law = gaussian(0, 0.01).with_noise(0.04, noise)
    x = np.array([5.0, 50.0, 500.0])
    logs, scores = law.log_density(x), law.score(x)
    assert np.all(np.isfinite(logs))
    assert np.all(np.diff(logs) < 0)
    assert np.all(np.isfinite(scores))
    assert np.all(scores < 0)
    if noise == 'laplace':  # exp(-|x| / b) in the end
        np.testing.assert_allclose(scores, -1 / math.sqrt(0.02), rtol=1e-12)


@pytest.mark.parametrize(('noise', 'v'), [(noise, 1.5) for noise in NOISES])
def test_samples_follow_the_law(noise, v):
    law = MIXTURE.with_noise(v, noise)
    drawn = law.sample(20_000, np.random.default_rng(3))
    grid = np.linspace(-30, 30, 6001)
    cumulative = integrate.cumulative_simpson(np.exp(law.log_density(grid)), x=grid, initial=0)
    assert stats.kstest(drawn, lambda x: np.interp(x, grid, cumulative)).pvalue > 1e-3
    assert (
        law.sample(5, np.random.default_rng(3)).tolist()
        == law.sample(5, np.random.default_rng(3)).tolist()
    )


@pytest.mark.parametrize('variance', [1e-6, 0.3, 50.0])
def test_entropy_of_a_gaussian(variance):
    expected = 0.5 * math.log(2 * math.pi * math.e * variance)
    assert gaussian(2, variance).entropy() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize('noise', NOISES)
def test_entropy_of_mostly_noise_is_that_of_the_noise(noise):
    found = gaussian(0, 1e-5).with_noise(1.0, noise).entropy()
    assert found == pytest.approx(noise_law(noise, 1.0).entropy(), abs=3e-3)


def test_entropy_on_a_grid_of_ones_own():
    assert MIXTURE.entropy((-12, 12, 20_001)) == pytest.approx(MIXTURE.entropy(), abs=1e-12)
    with pytest.raises(ConfigError, match=r'needs more than .* points'):
        MIXTURE.entropy((-40, 40, 101))


def test_labels_weigh_densities_and_keep_scores():
    law = LabelledLaw({0: (0.6, gaussian(-1, 0.5)), 1: (0.4, gaussian(1.5, 1))})
    noisy = law.with_noise(0.25, 'laplace')
    part = gaussian(1.5, 1).with_noise(0.25, 'laplace')
    np.testing.assert_allclose(noisy.log_density(X, 1), math.log(0.4) + part.log_density(X))
    np.testing.assert_array_equal(noisy.score(X, 1), part.score(X))
    drawn, labels = noisy.sample(4000, np.random.default_rng(0))
    zeros = np.array(labels) == 0
    assert zeros.mean() == pytest.approx(0.6, abs=4 * math.sqrt(0.24 / 4000))
    assert drawn[zeros].mean() == pytest.approx(-1, abs=4 * math.sqrt(0.75 / 2400))
    with pytest.raises(DataError, match='label: expected one of'):
        law.log_density(X, 2)


@pytest.mark.parametrize(
    ('make', 'error', 'message'),
    [
        (lambda: GaussianMixture((0.5, 0.4), (0, 1), (1, 1)), DataError, 'add up to 1.*0.9'),
        (lambda: GaussianMixture((0.5, 0.5), (0,), (1, 1)), DataError, 'means.*2 numbers'),
        (lambda: GaussianMixture((1.0,), (0,), (0.0,)), DataError, 'variances.*> 0'),
        (lambda: GaussianMixture((1.0,), (math.nan,), (1,)), DataError, 'means.*nan at index 0'),
        (lambda: GaussianMixture((1.5, -0.5), (0, 1), (1, 1)), DataError, 'weights.*-0.5'),
        (lambda: MIXTURE.sample(-1, np.random.default_rng(0)), ConfigError, 'count.*-1'),
        (lambda: MIXTURE.with_noise(-1), ConfigError, 'variance.*-1'),
        (lambda: MIXTURE.with_noise(0.1, 'laplase'), UnknownNameError, 'laplase.*laplace'),
        (
            lambda: MIXTURE.with_noise(0.1, 'laplace').with_noise(0.1, 'uniform'),
            ConfigError,
            'uniform noise cannot be added',
        ),
        (lambda: LabelledLaw({0: (0.6, MIXTURE)}), DataError, 'probabilities.*0.6'),
    ],
)
def test_bad_laws_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()

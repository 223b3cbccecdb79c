"""Mismatched noise: Theorems 2 and 3, published values, negentropy, the average optimum."""

import math

import numpy as np
import pytest

from noiseedit.errors import ConfigError, DataError, UnknownNameError
from noiseedit.theory import (
    GaussianMixture,
    best_train_variance,
    entropy_gain,
    f_divergence,
    gaussian,
    gaussian_kl,
    gaussian_kl_full,
    kl_table,
    minimax_variance,
    negentropy,
    negentropy_gap,
    rho,
    small_noise_gap,
    theta,
    theta_derivative,
)
from noiseedit.theory.components import NOISES
from noiseedit.theory.entropy import EXCESS_KURTOSIS

LAM = (1, 0.25, 0.01)
SOURCE = GaussianMixture((0.3, 0.7), (-2, 1), (0.25, 0.5))
OTHERS = ('uniform', 'laplace')


# Theorem 2, Gaussian noise


@pytest.mark.parametrize(
    ('s', 'e', 'expected'),
    [
        (0.04, 0, 0.41034303),
        (0.04, 0.02, 0.05675319),
        (0.04, 0.04, 0),
        (0.04, 0.16, 0.62496338),
        (0.08, 0, 0.67321507),
        (0.08, 0.16, 0.14043748),
        (0, 0.04, 1.20146068),
    ],
)
def test_t2_published_values(s, e, expected):
    found = gaussian_kl(LAM, s, e)
    assert found == pytest.approx(expected, abs=1e-8)
    assert found == pytest.approx(gaussian_kl(LAM[::-1], s, [e] * 3), rel=1e-14)
    assert found == pytest.approx(float(kl_table(LAM, [s], [e])[0, 0]), abs=1e-16)


@pytest.mark.parametrize(('s', 'e'), [(0, 1e-9), (1e-9, 0), (0.3, 0.3 + 1e-9), (0, 1e-100)])
def test_small_mismatches_keep_their_digits(s, e):
    x = (e - s) / (2.0 + s)
    expected = x**2 / 4 - x**3 / 6
    assert gaussian_kl([2.0], s, e) == pytest.approx(expected, rel=1e-12)
    assert float(kl_table([2.0], [s], [e])[0, 0]) == pytest.approx(expected, rel=1e-12)


def test_the_table_holds_every_pair():
    trains, tests = [0, 0.02, 0.08], [0.01, 0.16]
    expected = [[gaussian_kl(LAM, s, e) for e in tests] for s in trains]
    np.testing.assert_array_equal(kl_table(LAM, trains, tests), expected)


def random_covariance(rng, size, scale=1.0):
    root = rng.normal(size=(size, size))
    return scale * root @ root.T / size


@pytest.mark.parametrize('seed', range(5))
def test_any_covariance_against_the_formula(seed):
    rng = np.random.default_rng(seed)
    source, noise = random_covariance(rng, 6), random_covariance(rng, 6, 0.1)
    mean = rng.normal(size=6)
    a, b = source + 0.05 * np.eye(6), source + noise
    expected = np.trace(np.linalg.solve(a, b)) - 6 + mean @ np.linalg.solve(a, mean)
    expected += np.linalg.slogdet(a)[1] - np.linalg.slogdet(b)[1]
    assert gaussian_kl_full(source, 0.05, noise, mean=mean) == pytest.approx(expected / 2, rel=1e-9)


def test_noise_along_the_eigenvectors_needs_eigenvalues_only():
    rng = np.random.default_rng(0)
    lam, vectors = np.linalg.eigh(random_covariance(rng, 5))
    energy, mean = rng.uniform(0, 0.3, 5), rng.normal(size=5)
    full = gaussian_kl_full(
        (vectors * lam) @ vectors.T, 0.1, (vectors * energy) @ vectors.T, mean=vectors @ mean
    )
    assert gaussian_kl(lam, 0.1, energy, mean=mean) == pytest.approx(full, rel=1e-9)


@pytest.mark.parametrize(
    ('lam', 's', 'e', 'mean', 'expected'),
    [
        ([1, 0], 0, 0, None, 0),
        ([1, 0], 0, 0.1, None, math.inf),
        ([1, 0], 0.1, 0, None, math.inf),
        ([1, 0], 0, [0.1, 0], None, 0.5 * (0.1 - math.log(1.1))),
        ([1, 0], 0, 0, [0, 0.1], math.inf),
        ([1, 0], 0, 0, [0.1, 0], 0.005),
        ([1, 1], 0.5, 0.5, [1, 2], 0.5 * 5 / 1.5),
    ],
)
def test_directions_without_variance(lam, s, e, mean, expected):
    assert gaussian_kl(lam, s, e, mean=mean) == pytest.approx(expected, rel=1e-12)
    noise = np.diag(np.broadcast_to(e, 2))
    full = gaussian_kl_full(np.diag(lam), s, noise, mean=mean)
    assert full == pytest.approx(expected, rel=1e-12, abs=1e-28)


@pytest.mark.parametrize('noise', NOISES)
def test_theorem_2_training_with_noise_wins_beyond_half_its_variance(noise):
    rng = np.random.default_rng(2)
    for _ in range(4):
        lam, s = 10 ** rng.uniform(-2.5, 0.5, 3), 10 ** rng.uniform(-3, 0)
        for e in (0.5 * s, s, 2 * s):
            assert rho(lam, s, e, noise) < rho(lam, 0, e, noise)


def test_theorem_2_the_advantage_is_the_same_for_every_noise():
    advantages = [rho(0.01, 0.04, 0.1, noise) - rho(0.01, 0, 0.1, noise) for noise in NOISES]
    np.testing.assert_allclose(advantages, advantages[0], atol=1e-10)


@pytest.mark.parametrize('noise', NOISES)
def test_theorem_2_convex_in_the_test_variance(noise):
    values = [rho(0.01, 0.04, e, noise) for e in np.linspace(0.005, 0.2, 40)]
    assert np.all(np.diff(values, n=2) > 0)


@pytest.mark.parametrize('noise', OTHERS)
def test_theorem_2_the_gap_vanishes_faster_than_the_variance(noise):
    gaps = [negentropy_gap(1.0, e, noise) / e for e in (0.02, 0.01)]
    assert gaps[0] / gaps[1] == pytest.approx(8, rel=0.05)  # symmetric noise: of fourth order


# Noise of other laws


@pytest.mark.parametrize(
    ('lam', 'e', 'expected'),
    [
        (1, 0.16, (0.00309266, 0.00310391, 0.00315748)),
        (0.01, 0.0025, (0.31814718, 0.31819862, 0.31841352)),
        (0.01, 0.04, (0, 0.02732640, 0.02972615)),
        (0.01, 0.16, (0.58811228, 0.66454450, 0.64226763)),
    ],
)
def test_t2_published_values_of_other_noises(lam, e, expected):
    for noise, value in zip(NOISES, expected, strict=True):
        assert rho(lam, 0.04, e, noise) == pytest.approx(value, abs=6e-9)


def equation_6(lam, s, e, noise):
    entropy = gaussian(0, lam).with_noise(e, noise).entropy()
    return -entropy + 0.5 * (math.log(2 * math.pi * (lam + s)) + (lam + e) / (lam + s))


@pytest.mark.parametrize('noise', NOISES)
@pytest.mark.parametrize(('lam', 's', 'e'), [(1, 0.04, 0.16), (0.01, 0.04, 0.16), (0.3, 0, 0.5)])
def test_rho_is_equation_6_and_the_divergence_itself(noise, lam, s, e):
    found = rho(lam, s, e, noise)
    assert found == pytest.approx(equation_6(lam, s, e, noise), abs=1e-12)
    direct = f_divergence('kl', gaussian(0, lam).with_noise(e, noise), gaussian(0, lam + s))
    assert found == pytest.approx(direct, abs=1e-12)


@pytest.mark.parametrize('noise', NOISES)
def test_t3_between_the_gaussian_value_and_the_negentropy_above(noise):
    rng = np.random.default_rng(4)
    for _ in range(10):
        lam, s, e = 10 ** rng.uniform((-3, -3, -3), (0.5, 0, 0))
        direct = theta(gaussian(0, lam), s, e, noise)
        low = gaussian_kl([lam], s, e)
        assert low - 1e-12 <= direct <= low + negentropy(noise) + 1e-12
    lam = np.array([2, 0.1, 0.1, 0.005])
    low = gaussian_kl(lam, 0.04, 0.2)
    assert low <= rho(lam, 0.04, 0.2, noise) <= low + 4 * negentropy(noise)


@pytest.mark.parametrize('noise', OTHERS)
def test_t3_the_gap_does_not_depend_on_the_training_noise(noise):
    gaps = [
        theta(gaussian(0, 0.05), s, 0.1, noise) - gaussian_kl([0.05], s, 0.1)
        for s in (0, 0.01, 0.1, 1)
    ]
    np.testing.assert_allclose(gaps, negentropy_gap(0.05, 0.1, noise), atol=1e-12)


def test_negentropy_of_the_noises():
    assert negentropy('gaussian') == 0
    assert negentropy('uniform') == pytest.approx(0.17649, abs=6e-6)
    assert negentropy('laplace') == pytest.approx(0.07236, abs=6e-6)
    for noise in OTHERS:
        assert negentropy_gap(0, 0.3, noise) == negentropy(noise)
        assert negentropy_gap(1e-5, 1, noise) == pytest.approx(negentropy(noise), abs=2e-3)
        assert negentropy_gap(1e-5, 1, noise) < negentropy(noise)


@pytest.mark.parametrize('noise', OTHERS)
def test_the_cumulants_give_the_gap_of_small_noise(noise):
    small = [
        small_noise_gap([1, 2], e, excess_kurtosis=EXCESS_KURTOSIS[noise]) for e in (0.005, 0.01)
    ]
    exact = [negentropy_gap([1, 2], e, noise) for e in (0.005, 0.01)]
    np.testing.assert_allclose(small, exact, rtol=0.03)
    assert small_noise_gap(1, 1, skewness=2, excess_kurtosis=6) == pytest.approx(
        4 / 12 / 8 + 36 / 48 / 16
    )


@pytest.mark.parametrize('noise', NOISES)
def test_the_entropy_that_noise_adds(noise):
    sources = [gaussian(0, c) for c in LAM]
    added = [law.with_noise(0.1, noise).entropy() - law.entropy() for law in sources]
    assert entropy_gain(LAM, 0.1, noise) == pytest.approx(sum(added), abs=1e-11)
    assert entropy_gain([0, 1], 0.1, noise) == math.inf
    assert entropy_gain([0, 1], 0, noise) == 0


def test_the_minimax_rule_for_other_noise_balances_clean_and_strongest():
    gain = entropy_gain([0.01], 0.16, 'laplace')
    s = minimax_variance([0.01], 0.16, entropy_gain=gain)
    assert rho(0.01, s, 0, 'laplace') == pytest.approx(rho(0.01, s, 0.16, 'laplace'), abs=1e-10)


# Theorem 3


@pytest.mark.parametrize(
    ('s', 'e', 'expected', 'slope'),
    [
        (0.5, 0.1, 0.05927430, -0.41027176),
        (0.5, 0.5, 0, 0),
        (0.5, 1.0, 0.03286391, 0.10835675),
        (0.04, 0.01, 0.00130502, -0.09028834),
        (0.04, 0.04, 0, 0),
        (0.04, 0.16, 0.01505588, 0.22218791),
    ],
)
def test_theorem_3_published_values_and_derivative(s, e, expected, slope):
    assert theta(SOURCE, s, e) == pytest.approx(expected, abs=6e-9)
    assert theta_derivative(SOURCE, s, e) == pytest.approx(slope, abs=6e-9)
    h = 1e-3
    values = [theta(SOURCE, s, e + k * h) for k in (-2, -1, 1, 2)]
    numerical = np.dot((1, -8, 8, -1), values) / (12 * h)
    assert numerical == pytest.approx(slope, abs=2e-8)


@pytest.mark.parametrize(
    ('e', 'expected'),
    [
        (0.0025, (0.00207832, 0.00207819, 0.00207865)),
        (0.01, (0.00130502, 0.00130342, 0.00130914)),
        (0.04, (0, 0.00000271, 0.00001437)),
        (0.08, (0.00196935, 0.00210893, 0.00185139)),
        (0.16, (0.01505588, 0.01635240, 0.01384631)),
    ],
)
def test_theorem_3_published_values_of_other_noises(e, expected):
    for noise, value in zip(NOISES, expected, strict=True):
        assert theta(SOURCE, 0.04, e, noise) == pytest.approx(value, abs=6e-9)


@pytest.mark.parametrize('noise', OTHERS)
def test_theorem_3_noise_of_any_law_is_gaussian_to_first_order(noise):
    levels = (8e-4, 4e-4)
    gaps = [abs(theta(SOURCE, 0.04, e, noise) - theta(SOURCE, 0.04, e)) / e for e in levels]
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.03)  # the difference is quadratic in e


# The average optimum where the source is not Gaussian


def twins(variance):
    return GaussianMixture((0.5, 0.5), (-1, 1), (variance, variance))


@pytest.mark.parametrize(
    ('source', 'grid', 'expected'),
    [
        (SOURCE, (-14, 14, 6001), (0.079057, 0.476373)),
        (twins(0.01), (-14, 14, 6001), (0.079467, 0.459660)),
        (twins(0.001), (-14, 14, 12_001), (0.079587, 0.458191)),
    ],
)
def test_published_optima_of_mixtures(source, grid, expected):
    found = [best_train_variance(source, top, grid=grid) for top in (0.16, 1.0)]
    np.testing.assert_allclose(found, expected, atol=6e-7)


def test_the_optimum_minimises_the_mean_divergence():
    for reverse in (False, True):
        best = best_train_variance(SOURCE, 0.5, reverse=reverse, nodes=6)
        places, weights = np.polynomial.legendre.leggauss(6)

        def mean(s, reverse=reverse, places=places, weights=weights):
            name = 'reverse_kl' if reverse else 'kl'
            levels = 0.25 * (places + 1)
            train = SOURCE.with_noise(s)
            values = [f_divergence(name, SOURCE.with_noise(e), train) for e in levels]
            return np.dot(weights, values)

        assert mean(best) < min(mean(0.98 * best), mean(1.02 * best))


@pytest.mark.parametrize('lam', [0.05, 0.5, 4.0])
def test_gaussian_sources_have_the_published_optima(lam):
    source = gaussian(0.3, lam)
    for noise in NOISES:
        assert best_train_variance(source, 0.16, noise=noise) == pytest.approx(0.08, abs=1e-12)
    reverse = best_train_variance(source, 0.16, reverse=True)
    assert reverse == pytest.approx(minimax_variance([lam], 0.16), abs=1e-10)
    assert reverse < 0.08


# Refusals


@pytest.mark.parametrize(
    ('call', 'error', 'message'),
    [
        (lambda: gaussian_kl([1, -0.5], 0, 0), DataError, 'eigenvalues.*-0.5 at index 1'),
        (lambda: gaussian_kl([[1.0]], 0, 0), DataError, r'eigenvalues.*shape \(1, 1\)'),
        (lambda: gaussian_kl([], 0, 0), DataError, 'eigenvalues.*at least one'),
        (lambda: gaussian_kl([1], -1, 0), ConfigError, 'train_variance.*-1'),
        (lambda: gaussian_kl([1], 0, math.nan), ConfigError, 'test_variance.*nan'),
        (lambda: gaussian_kl([1, 2], 0, [1, 2, 3]), DataError, 'test_variance.*2 numbers'),
        (lambda: gaussian_kl([1, 2], 0, 0, mean=[1]), DataError, 'mean.*2 numbers'),
        (lambda: kl_table([1], [0.1, -0.1], [0]), DataError, 'train_variances.*-0.1 at index 1'),
        (lambda: gaussian_kl_full([[1, 2], [0, 1]], 0, np.eye(2)), DataError, 'symmetric'),
        (lambda: gaussian_kl_full(np.eye(2), 0, np.eye(3)), DataError, r'noise_cov.*\(2, 2\)'),
        (lambda: gaussian_kl_full(-np.eye(2), 0, np.eye(2)), DataError, 'covariance.*below 0'),
        (lambda: rho(1, 0.1, 0.1, 'uniformly'), UnknownNameError, 'Nearest: uniform'),
        (lambda: rho(1, 0.1, -0.1), ConfigError, 'test_variance.*-0.1'),
        (lambda: negentropy('pink'), UnknownNameError, "'pink'"),
        (lambda: theta(SOURCE, -1, 0), ConfigError, 'variance.*-1'),
        (lambda: best_train_variance(SOURCE, 0), ConfigError, 'lambda_max.*> 0'),
        (lambda: best_train_variance(SOURCE, 1, nodes=0), ConfigError, 'nodes'),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()

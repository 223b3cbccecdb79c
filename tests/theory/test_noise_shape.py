import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from spectra import SPECTRA

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory.mismatch import gaussian_kl
from noiseedit.theory.noise_shape import (
    coloured_variance,
    matched_kl,
    matched_variance,
    moments_at,
    salt_pepper_moments,
    second_moments,
    signal_dependent_variance,
)

# Coloured noise.


@pytest.mark.parametrize(
    ('power', 's'), [(0, 0.080000), (0.5, 0.016401), (1, 0.000121), (-0.5, 0.099639)]
)
def test_coloured_noise_moves_the_optimum(power, s):
    lam = SPECTRA['S7']
    energy = 0.08 * lam**power / np.mean(lam**power)
    assert coloured_variance(lam, energy) == pytest.approx(s, abs=6e-7)


@pytest.mark.parametrize('seed', range(5))
def test_coloured_variance_is_the_minimum_of_the_divergence(seed):
    random = np.random.default_rng(seed)
    lam, energy = 10 ** random.uniform(-3, 1, 20), random.uniform(0, 0.2, 20)
    s = coloured_variance(lam, energy)
    found = minimize_scalar(
        lambda t: gaussian_kl(lam, t, energy), bounds=(0, 0.2), options={'xatol': 1e-10}
    )
    assert s == pytest.approx(found.x, abs=1e-6)
    assert energy.min() <= s <= energy.max()


def test_of_two_solutions_the_better_one_is_taken():
    lam, energy = np.array([1e-4, 1.0]), np.array([1e-5, 50.0])
    one = np.array([lam[0], *np.full(3, lam[1])]), np.array([energy[0], *np.full(3, energy[1])])
    grid = np.geomspace(1e-7, 50, 2_001)
    for values, energies in ((lam, energy), one):
        costs = [gaussian_kl(values, s, energies) for s in grid]
        best = grid[int(np.argmin(costs))]
        slopes = np.diff(costs)
        assert np.sum((slopes[:-1] < 0) & (slopes[1:] > 0)) == 2
        assert coloured_variance(values, energies) == pytest.approx(best, rel=2e-2)


def test_an_input_with_less_energy_needs_no_training_noise():
    assert matched_variance([1.0, 2.0], [0.9, 1.5]) == 0.0


def test_matched_kl_extends_the_divergence_of_white_noise():
    lam = SPECTRA['S5']
    expected = gaussian_kl(lam, 0.03, 0.1)
    assert matched_kl(lam, 0.03, lam + 0.1) == pytest.approx(expected, rel=1e-9)
    assert matched_kl([1.0], 0.0, [0.5]) == pytest.approx(0.5 * (0.5 - 1 - np.log(0.5)))


def test_moments_lie_on_straight_lines_between_levels():
    levels, moments = np.array([0, 0.1, 0.2]), np.array([[1, 2.0], [2, 1.0], [4, 0.5]])
    for level, expected in zip(levels, moments, strict=True):
        np.testing.assert_allclose(moments_at(levels, moments, level), expected)
    np.testing.assert_allclose(moments_at(levels, moments, 0.05), [1.5, 1.5])
    np.testing.assert_allclose(moments_at(levels, moments, 0.3), [6, 0.5])  # none falls further
    np.testing.assert_allclose(moments_at(levels[:1], moments[:1], 0.3), [1, 2])


# Signal-dependent noise.


def test_poisson_noise_counts_with_its_mean_variance():
    random = np.random.default_rng(0)
    u = random.uniform(0, 0.8, 200_000)
    noisy = random.poisson(30 * u) / 30
    expected = signal_dependent_variance(u.mean(), 1 / 30, value_range='[0,1]')
    assert np.mean((noisy - u) ** 2) == pytest.approx(expected, rel=0.02)
    assert signal_dependent_variance(0.4, 1 / 30) == pytest.approx(4 * 0.4 / 30)


def test_poisson_gaussian_noise_adds_its_read_noise():
    assert signal_dependent_variance(0.4, 0.01, 0.002) == pytest.approx(4 * 0.006)
    assert signal_dependent_variance(0.4, 0.01, 0.002, '[0,1]') == pytest.approx(0.006)


# Salt and pepper.


def corrupted(x, p, random, pixels):
    hit = random.random((len(x), pixels.max() + 1)) < p
    white = random.random(hit.shape) < 0.5
    return np.where(hit, np.where(white, 1.0, -1.0), np.nan)[:, pixels]


@pytest.mark.parametrize('together', [False, True])
def test_salt_and_pepper_moments_agree_with_samples(together):
    random = np.random.default_rng(0)
    sigma, mu, p = np.array([[0.25, 0.2], [0.2, 0.25]]), np.full(2, -0.1), 0.1
    pixels = np.array([0, 0] if together else [0, 1])
    delta, covariance = salt_pepper_moments(sigma, mu, p, pixels=pixels if together else None)
    x = random.multivariate_normal(mu, sigma, 1_000_000)
    replaced = corrupted(x, p, random, pixels)
    noisy = np.where(np.isnan(replaced), x, replaced)
    np.testing.assert_allclose(noisy.mean(0) - mu, delta, atol=3e-3)
    np.testing.assert_allclose(np.cov(noisy.T), covariance, atol=3e-3)


def test_salt_and_pepper_moments_have_the_stated_values():
    sigma = np.array([[0.25, 0.2], [0.2, 0.25]])
    delta, covariance = salt_pepper_moments(sigma, [-0.1, -0.1], 0.1)
    np.testing.assert_allclose(delta, 0.01)
    np.testing.assert_allclose(covariance, [[0.3259, 0.1620], [0.1620, 0.3259]], atol=5.1e-5)


def test_salt_and_pepper_is_the_same_noise_in_every_range():
    sigma, mu = np.array([[0.25, 0.2], [0.2, 0.25]]), np.array([-0.1, 0.3])
    delta, covariance = salt_pepper_moments(sigma, mu, 0.2)
    other = salt_pepper_moments(sigma / 4, (mu + 1) / 2, 0.2, value_range='[0,1]')
    np.testing.assert_allclose(2 * other[0], delta)
    np.testing.assert_allclose(4 * other[1], covariance)


def test_second_moments_are_those_of_the_shifted_input():
    random = np.random.default_rng(1)
    root = random.standard_normal((4, 4))
    sigma, delta = root @ root.T, random.standard_normal(4)
    _, basis = np.linalg.eigh(sigma + np.eye(4))
    total = sigma + np.outer(delta, delta)
    expected = [vector @ total @ vector for vector in basis.T]
    np.testing.assert_allclose(second_moments(basis, delta, sigma), expected)


def test_salt_and_pepper_has_an_optimum_where_the_divergence_is_least():
    lam = SPECTRA['S4']
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 64)))[0]
    covariance = basis * lam @ basis.T
    delta, noisy = salt_pepper_moments(covariance, np.full(64, -0.1), 0.1)
    moments = second_moments(basis, delta, noisy)
    s = matched_variance(lam, moments)
    found = minimize_scalar(lambda t: matched_kl(lam, t, moments), bounds=(0, 1))
    assert s == pytest.approx(found.x, abs=1e-4)
    assert s > 0.05


@pytest.mark.parametrize(
    ('call', 'text'),
    [
        (lambda: coloured_variance([1.0], [-0.1]), 'noise_energy.*-0.1'),
        (lambda: coloured_variance([1.0], [0.1, 0.2]), 'noise_energy'),
        (lambda: matched_variance([1.0], [0.0]), 'second_moments.*0.0'),
        (lambda: matched_kl([0.0], 0.1, [1.0]), 'floor_eigenvalues'),
        (lambda: signal_dependent_variance(1.5, 0.1), 'mean.*1.5'),
        (lambda: signal_dependent_variance(0.5, -0.1), 'gain.*-0.1'),
        (lambda: salt_pepper_moments([[1.0]], [0.0], 1.5), 'amount.*1.5'),
        (lambda: salt_pepper_moments([[1.0]], [0.0, 1.0], 0.5), r'covariance.*\(2, 2\)'),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises((ConfigError, DataError), match=text):
        call()

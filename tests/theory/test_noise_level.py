import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from spectra import SPECTRA

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory.entropy import entropy_gain, rho
from noiseedit.theory.mismatch import gaussian_kl
from noiseedit.theory.noise_level import (
    average_kl,
    average_matched_kl,
    average_variance,
    break_even_variance,
    clean_variance,
    minimax_variance,
    random_level_information,
)
from noiseedit.theory.noise_shape import coloured_variance, matched_kl
from noiseedit.theory.units import convert_variance, sigma_255

TOP = 0.16

# spectrum: s_minimax, worst case at s_minimax and at .08, average at s_minimax, .08 and 0
TABLE = {
    'S1': (0.078022, (0.00138, 0.00144), (0.00046, 0.00046, 0.00198)),
    'S2': (0.046473, (0.45413, 0.65417), (0.15729, 0.09347, 2.9949)),
    'S3': (0.073431, (0.97559, 1.12664), (0.32564, 0.31912, 1.6749)),
    'S4': (0.065504, (3.50656, 4.56540), (1.17365, 1.06449, 8.4842)),
    'S5': (0.042362, (28.6978, 41.0889), (9.94746, 5.17501, 303.94)),
    'S6': (0.046961, (21.3111, 30.6359), (7.32027, 4.42986, 147.51)),
    'S7': (0.030872, (57.3165, 78.8602), (20.7009, 6.58845, 2930.4)),
    'S8': (0.016519, (179.505, 223.652), (71.9602, 8.57767, '2.24e5')),
}


def printed(value):
    """Return a printed number with half its last digit, or 1e-4 relative, as its error."""
    digits, _, exponent = str(value).partition('e')
    last = 10.0 ** (int(exponent or 0) - len(digits.partition('.')[2]))
    return pytest.approx(float(value), rel=1e-4, abs=0.5001 * last)


def worst(eigenvalues, s, top=TOP):
    return max(gaussian_kl(eigenvalues, s, 0.0), gaussian_kl(eigenvalues, s, top))


def random_spectrum(seed, low=-3.0):
    random = np.random.default_rng(seed)
    return 10.0 ** random.uniform(low, 1.0, random.integers(1, 65))


# T4: the average rule.


@pytest.mark.parametrize('seed', range(8))
def test_t4_derivative_of_the_mean_divergence_vanishes_at_the_mean_level(seed):
    lam = random_spectrum(seed)
    levels, weights = np.random.default_rng(seed).random((2, 5))
    weights /= weights.sum()
    s = float(weights @ levels)
    energies = np.broadcast_to(levels[:, None], (5, lam.size))
    assert coloured_variance(lam, weights @ energies) == pytest.approx(s, rel=1e-12)

    def mean(t):
        return sum(w * gaussian_kl(lam, t, e) for w, e in zip(weights, levels, strict=True))

    def slope(at, step):
        ends = np.array([mean(at + k * step) for k in (-2, -1, 1, 2)])
        return ends @ (1, -8, 8, -1) / (12 * step)

    assert abs(slope(s, 1e-3 * s)) < 1e-9 * abs(slope(2 * s, 1e-3 * s))
    found = minimize_scalar(mean, bounds=(0, 1), method='bounded', options={'xatol': 1e-10})
    assert found.x == pytest.approx(s, abs=1e-6)


@pytest.mark.parametrize('name', SPECTRA)
def test_t4_a_minimiser_of_the_mean_divergence_finds_half_of_the_range(name):
    found = minimize_scalar(
        lambda s: average_kl(SPECTRA[name], s, TOP),
        bounds=(0, TOP),
        method='bounded',
        options={'xatol': 1e-10},
    )
    assert found.x == pytest.approx(average_variance(TOP), abs=1e-6)


def test_average_variance_is_half_of_the_range():
    assert average_variance(0.16) == 0.08
    assert average_variance(0) == 0


# T5: the table of spectra.


@pytest.mark.parametrize('name', TABLE)
def test_t5_minimax_table(name):
    lam, (s, worst_cases, averages) = SPECTRA[name], TABLE[name]
    found = minimax_variance(lam, TOP)
    assert found == pytest.approx(s, abs=1e-6)
    assert worst(lam, found) == printed(worst_cases[0])
    assert worst(lam, 0.08) == printed(worst_cases[1])
    for level, value in zip((found, 0.08, 0.0), averages, strict=True):
        assert average_kl(lam, level, TOP) == printed(value)


@pytest.mark.parametrize(
    ('top', 's'),
    [(0.0025, 0.000863), (0.01, 0.002828), (0.04, 0.009280), (0.16, 0.030872), (0.64, 0.105035)],
)
def test_t5_minimax_against_the_range(top, s):
    assert minimax_variance(SPECTRA['S7'], top) == pytest.approx(s, abs=1e-6)


@pytest.mark.parametrize(
    ('lam', 'top'), [(1.0, 0.16), (0.01, 0.16), (1e-5, 1.0), (1e-30, 1.0), (0.01, 1e150)]
)
def test_minimax_of_one_dimension_is_the_logarithmic_mean(lam, top):
    assert minimax_variance([lam], top) == pytest.approx(top / np.log1p(top / lam) - lam, rel=1e-9)


# T6 and T7.


@pytest.mark.parametrize('top', [1e-6, 0.01, 0.16, 1.0])
@pytest.mark.parametrize('name', SPECTRA)
def test_t6_minimax_makes_both_ends_equal(name, top):
    lam = SPECTRA[name]
    s = minimax_variance(lam, top)
    assert 0 <= s <= top / 2
    assert gaussian_kl(lam, s, 0.0) == pytest.approx(gaussian_kl(lam, s, top), abs=1e-10, rel=1e-10)


@pytest.mark.parametrize('seed', range(5))
def test_t6_a_minimiser_of_the_worst_case_finds_the_same(seed):
    lam = random_spectrum(seed)
    found = minimize_scalar(
        lambda s: worst(lam, s), bounds=(0, TOP), method='bounded', options={'xatol': 1e-9}
    )
    assert found.x == pytest.approx(minimax_variance(lam, TOP), abs=1e-6)


@pytest.mark.parametrize('top', [1e-9, 1e-20, 1e-60])
def test_minimax_of_images_with_little_noise_is_half_of_the_range(top):
    assert minimax_variance([1.0, 2.0], top) == pytest.approx(top / 2, rel=1e-8)
    assert coloured_variance([1.0, 2.0], [top, top]) == pytest.approx(top, rel=1e-12)


@pytest.mark.parametrize('kind', [list, tuple, np.asarray, torch.tensor])
def test_eigenvalues_come_in_any_order_and_kind(kind):
    lam = [0.01, 1.0, 0.25, 0.25]
    values = kind(lam)
    for rule in (minimax_variance, break_even_variance, clean_variance):
        assert rule(values, 0.16) == pytest.approx(rule(sorted(lam), 0.16), rel=1e-6)
    level = kind([0.16])[0]
    assert minimax_variance(lam, level) == pytest.approx(minimax_variance(lam, 0.16), rel=1e-6)
    assert average_variance(level) == pytest.approx(0.08, rel=1e-6)


@pytest.mark.parametrize('s', [1e-8, 0.0025, 0.04, 0.16, 1.0])
@pytest.mark.parametrize('name', SPECTRA)
def test_t7_break_even_is_at_most_half_of_the_training_variance(name, s):
    e = break_even_variance(SPECTRA[name], s)
    assert 0 < e <= s / 2
    without, trained = (gaussian_kl(SPECTRA[name], t, e) for t in (0.0, s))
    assert trained == pytest.approx(without, rel=1e-7, abs=1e-14)


@pytest.mark.parametrize(
    ('ratio', 'share'),
    [
        (0.01, 0.498342),
        (0.1, 0.484120),
        (1, 0.386294),
        (10, 0.163768),
        (100, 0.036613),
        (1000, 0.005916),
    ],
)
def test_break_even_table(ratio, share):
    lam = 0.3
    assert break_even_variance([lam], ratio * lam) / (ratio * lam) == pytest.approx(share, abs=6e-7)


def test_break_even_of_tiny_levels_is_half_and_of_none_is_none():
    assert break_even_variance([1.0, 0.2], 1e-12) == pytest.approx(0.5e-12, rel=1e-9)
    assert break_even_variance([1e-3], 1e20) == pytest.approx(1e-3 * (np.log(1e23) - 1), rel=1e-12)
    assert break_even_variance([1.0], 0.0) == 0.0


# The clean budget.


@pytest.mark.parametrize('budget', [1e-6, 0.01, 0.1, 1.0, 5.0])
@pytest.mark.parametrize('name', ['S1', 'S5', 'S8'])
def test_clean_variance_spends_the_budget_exactly(name, budget):
    lam = SPECTRA[name]
    s = clean_variance(lam, budget)
    assert gaussian_kl(lam, s, 0.0) / lam.size == pytest.approx(budget, rel=1e-9)
    assert gaussian_kl(lam, 1.01 * s, 0.0) / lam.size > budget


def test_clean_variance_of_no_budget_is_none_and_of_a_huge_one_infinite():
    assert clean_variance([1.0], 0.0) == 0.0
    assert clean_variance([1.0], 1e4) == np.inf
    assert clean_variance([2.0], 1e-200) == pytest.approx(4e-100, rel=1e-9)  # s^2 / (4 lam^2)


# Mean divergences.


@pytest.mark.parametrize('s', [0.0, 0.02, 0.3])
@pytest.mark.parametrize('name', ['S1', 'S2', 'S4'])
def test_average_kl_agrees_with_quadrature(name, s):
    lam = SPECTRA[name]
    integral = quad(lambda e: gaussian_kl(lam, s, e), 0, TOP, epsrel=1e-11)[0]
    assert average_kl(lam, s, TOP) == pytest.approx(integral / TOP, rel=1e-9)


def test_average_kl_of_coloured_noise_agrees_with_quadrature():
    lam = SPECTRA['S4']
    energy = TOP * np.linspace(0, 2, 64)
    integral = quad(lambda x: gaussian_kl(lam, 0.05, x * energy), 0, 1, epsrel=1e-11)[0]
    found = average_kl(lam, 0.05, TOP, noise_energy=energy)
    assert found == pytest.approx(integral, rel=1e-9)


def test_average_of_shrinking_moments_agrees_with_quadrature():
    lam = SPECTRA['S4']
    low, high = lam * 1.1, lam * 0.4 + 0.01

    def at(x):
        return matched_kl(lam, 0.05, low + x * (high - low))

    integral = quad(at, 0, 1, epsrel=1e-11)[0]
    assert average_matched_kl(lam, 0.05, low, high) == pytest.approx(integral, rel=1e-9)


def test_average_kl_over_no_range_is_the_clean_cost():
    lam = SPECTRA['S3']
    assert average_kl(lam, 0.05, 0.0) == pytest.approx(gaussian_kl(lam, 0.05, 0.0), rel=1e-12)
    small = average_kl(lam, 0.05, 1e-13)
    assert small == pytest.approx(gaussian_kl(lam, 0.05, 0.0), rel=1e-9)


# Noise of other laws and colours.


def test_minimax_of_coloured_noise_makes_both_ends_equal():
    lam = SPECTRA['S5']
    energy = TOP * lam / lam.mean()
    s = minimax_variance(lam, TOP, noise_energy=energy)
    assert gaussian_kl(lam, s, 0.0) == pytest.approx(gaussian_kl(lam, s, energy), abs=1e-10)


def test_minimax_of_equal_energies_is_that_of_white_noise():
    lam = SPECTRA['S6']
    white = minimax_variance(lam, TOP)
    assert minimax_variance(lam, 1.0, noise_energy=np.full(64, TOP)) == white
    gain = 0.5 * np.log1p(TOP / lam).sum()
    assert minimax_variance(lam, TOP, entropy_gain=gain) == pytest.approx(white, rel=1e-12)


def test_less_entropy_moves_minimax_up():
    lam = SPECTRA['S5']
    gain = 0.5 * np.log1p(TOP / lam).sum()
    levels = [minimax_variance(lam, TOP, entropy_gain=share * gain) for share in (1, 0.95, 0.9)]
    assert levels == sorted(levels)
    assert levels[0] < levels[-1]
    ends = np.sum(TOP / (lam + levels[1])) - 2 * 0.95 * gain
    assert abs(ends) < 1e-9


@pytest.mark.parametrize('noise', ['gaussian', 'uniform', 'laplace'])
@pytest.mark.parametrize('name', ['S1', 'S2', 'S4'])
def test_minimax_of_other_laws_makes_both_ends_equal(name, noise):
    lam = SPECTRA[name]
    s = minimax_variance(lam, TOP, entropy_gain=entropy_gain(lam, TOP, noise))
    assert rho(lam, s, 0.0, noise) == pytest.approx(rho(lam, s, TOP, noise), abs=1e-10)
    assert s >= minimax_variance(lam, TOP)


def test_minimax_of_noise_that_is_always_the_worst_case_is_what_suits_it():
    lam, energy = np.array([1.0, 0.5]), np.array([0.1, 0.3])
    found = minimax_variance(lam, 1.0, noise_energy=energy, entropy_gain=0.0)
    assert found == coloured_variance(lam, energy)


# 7.4: a random training level.


@pytest.mark.parametrize(
    ('name', 'value', 'error'),
    [('S7', 1.293, 0.007), ('S5', 1.198, 0.007), ('S3', 0.244, 0.004), ('S2', 0.083, 0.002)],
)
def test_random_levels_leave_the_stated_divergence(name, value, error):
    estimate, own_error = random_level_information(SPECTRA[name], TOP, samples=20_000)
    assert own_error == pytest.approx(error, abs=0.5e-3)
    assert abs(estimate - value) < 3 * np.hypot(error, own_error)
    assert estimate < average_kl(SPECTRA[name], 0.08, TOP)


def test_random_levels_are_the_same_with_the_same_seed():
    runs = [random_level_information([0.01], TOP, samples=100, seed=seed) for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


def test_random_levels_agree_with_the_integral_in_one_dimension():
    lam, nodes = 0.01, np.linspace(0, TOP, 801)
    x = np.linspace(-4, 4, 8001)
    variances = lam + nodes[:, None]
    densities = np.exp(-(x**2) / 2 / variances) / np.sqrt(2 * np.pi * variances)
    mixture = np.trapezoid(densities, dx=1 / 800, axis=0)
    kl = np.trapezoid(
        densities * (np.log(densities + 1e-300) - np.log(mixture + 1e-300)), x, axis=1
    )
    exact = np.trapezoid(kl, dx=1 / 800)
    estimate, error = random_level_information([lam], TOP)
    assert abs(estimate - exact) < 3 * error


# T12 and bad input.


def test_t12_range_conversion():
    assert convert_variance(51.0**2, 'uint8', '[-1,1]') == pytest.approx((51 / 127.5) ** 2)
    assert convert_variance(51.0**2, 'uint8', '[-1,1]') == pytest.approx(0.16, rel=1e-15)
    assert convert_variance(0.16, '[-1,1]', '[0,1]') == pytest.approx(0.04)
    assert sigma_255(0.04, '[-1,1]') == pytest.approx(25.5)
    assert sigma_255(0.04, '[0,1]') == pytest.approx(51)
    there = convert_variance(0.037, '[-1,1]', 'uint8')
    assert convert_variance(there, 'uint8', '[-1,1]') == pytest.approx(0.037, rel=1e-15)


def test_t12_unknown_range_is_an_error():
    with pytest.raises(ConfigError, match=r'value_range.*\[-1,1\].*got .*-2'):
        convert_variance(1.0, '[-2,2]', '[0,1]')


@pytest.mark.parametrize(
    ('call', 'text'),
    [
        (lambda: average_variance(-1), 'lambda_max.*-1'),
        (lambda: average_variance(np.nan), 'lambda_max.*nan'),
        (lambda: average_variance('0.16'), 'lambda_max: expected real numbers'),
        (lambda: average_variance(0.16 + 1j), 'lambda_max: expected real numbers'),
        (lambda: minimax_variance(['1'], 0.1), 'eigenvalues: expected real numbers'),
        (lambda: minimax_variance(np.ones(2) + 1j, 0.1), 'eigenvalues: expected real numbers'),
        (lambda: minimax_variance(torch.ones(2, requires_grad=True), 0.1), 'requires_grad'),
        (lambda: minimax_variance([1e-9], 1e301), 'lambda_max.*too large'),
        (lambda: break_even_variance([1e-9], 1e301), 'train_variance.*too large'),
        (lambda: minimax_variance([1.0, 0.0], 0.1), 'eigenvalues.*index 1.*floor_eigenvalues'),
        (lambda: minimax_variance([1.0], 0.1, entropy_gain=9.0), 'entropy_gain.*9.0'),
        (lambda: minimax_variance([1.0], 0.1, noise_energy=[-1.0]), 'noise_energy.*-1.0'),
        (lambda: minimax_variance([1.0], 0.1, noise_energy=[1.0, 2.0]), 'noise_energy'),
        (lambda: break_even_variance([1.0, -2.0], 0.1), 'eigenvalues.*-2.0'),
        (lambda: clean_variance([1.0], -0.1), 'budget.*-0.1'),
        (lambda: average_kl([1.0], -0.1, 0.1), 'train_variance.*-0.1'),
        (lambda: average_matched_kl([1.0], 0.1, [1.0], [0.0]), 'second_moments'),
        (lambda: random_level_information([1.0], 0.0), 'lambda_max.*0'),
        (lambda: random_level_information([1.0], 0.1, samples=1), 'samples.*1'),
        (lambda: random_level_information([1.0], 0.1, samples=9.5), 'samples.*9.5'),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises((ConfigError, DataError), match=text):
        call()

"""f-divergences and Theorem 1: published values, closed forms, samples, infinite values."""

import math

import numpy as np
import pytest

from noiseedit.errors import ConfigError, DataError, UnknownNameError
from noiseedit.theory import (
    DIVERGENCES,
    GaussianMixture,
    LabelledLaw,
    divergence_balance,
    divergence_derivative,
    eta,
    f_divergence,
    gaussian,
    sampled_derivative,
    sampled_divergence,
    sampled_eta,
)
from noiseedit.theory.generators import GENERATORS

CASES = {
    'A': (gaussian(0, 1), gaussian(1, 2)),
    'B': (
        GaussianMixture((0.3, 0.7), (-2, 1), (0.25, 0.5)),
        GaussianMixture((0.6, 0.4), (-1, 2), (0.5, 1)),
    ),
    'C': (
        LabelledLaw({0: (0.6, gaussian(-1, 0.5)), 1: (0.4, gaussian(1.5, 1))}),
        LabelledLaw({0: (0.5, gaussian(-0.5, 1)), 1: (0.5, gaussian(1, 0.8))}),
    ),
}
VALUES = {  # in the order of DIVERGENCES
    ('A', 0): (0.34657359, 0.65342641, 0.61151442, 0.09707208, 0.10665201),
    ('A', 0.25): (0.29389333, 0.50610667, 0.51850037, 0.08184871, 0.08854953),
    ('A', 1): (0.20273255, 0.29726745, 0.36191462, 0.05553188, 0.05842898),
    ('B', 0): (0.61726100, 0.87643795, 1.43869219, 0.15607879, 0.16765689),
    ('B', 0.25): (0.32702129, 0.41451772, 0.70307652, 0.08303397, 0.08685019),
    ('B', 1): (0.09071714, 0.10955122, 0.17602157, 0.02359446, 0.02422109),
    ('C', 0.25): (0.16422681, 0.19629294, 0.34365258, 0.04189074, 0.04322616),
    ('C', 1): (0.09786803, 0.10608061, 0.19826812, 0.02479674, 0.02512440),
}
DERIVATIVES = {
    ('A', 0): (-0.25, -0.75, -0.44764289, -0.07211820, -0.08685328),
    ('A', 0.25): (-0.17777778, -0.46222222, -0.30988989, -0.05142847, -0.06035001),
    ('A', 1): (-0.08333333, -0.16666667, -0.14186611, -0.02393416, -0.02667785),
    ('B', 0): (-1.78861504, -3.30450082, -4.83804448, -0.45176589, -0.51874621),
    ('B', 0.25): (-0.73383216, -1.01915654, -1.74201467, -0.18386339, -0.19716979),
    ('B', 1): (-0.12034212, -0.14703511, -0.24759411, -0.03071169, -0.03183539),
    ('C', 0.25): (-0.16315646, -0.24609524, -0.37911203, -0.04197365, -0.04544031),
    ('C', 1): (-0.04791667, -0.05868056, -0.09964356, -0.01233013, -0.01277482),
}
ROWS = [(*row, name, i) for row in VALUES for i, name in enumerate(DIVERGENCES)]
FINE_GRID = (-40, 40, 400_001)
STEP = 1e-3


def noisy(case, s, noise='gaussian'):
    return tuple(law.with_noise(s, noise) for law in CASES[case])


def test_the_order_of_the_published_columns():
    assert DIVERGENCES == ('kl', 'reverse_kl', 'chi2', 'js', 'hellinger')


@pytest.mark.parametrize(('case', 's', 'name', 'column'), ROWS)
def test_t1_published_divergences(case, s, name, column):
    found = f_divergence(name, *noisy(case, s))
    assert found == pytest.approx(VALUES[case, s][column], abs=6e-9)


@pytest.mark.parametrize(('case', 's', 'name', 'column'), ROWS)
def test_t1_published_derivatives(case, s, name, column):
    found = divergence_derivative(name, *CASES[case], s)
    assert found == pytest.approx(DERIVATIVES[case, s][column], abs=6e-9)


@pytest.mark.parametrize(('case', 's', 'name', 'column'), ROWS)
def test_t1_the_numerical_derivative_is_minus_half_eta(case, s, name, column):
    steps, weights = ((-2, -1, 1, 2), (1, -8, 8, -1))
    if s == 0:  # one-sided, of the same order
        steps, weights = (0, 1, 2, 3, 4), (-25, 48, -36, 16, -3)
    values = [f_divergence(name, *noisy(case, s + k * STEP)) for k in steps]
    slope = np.dot(weights, values) / (12 * STEP)
    tolerance = 3e-9 if (case, s) == ('B', 0) else 2e-10
    assert slope == pytest.approx(-0.5 * eta(name, *noisy(case, s)), rel=tolerance)


@pytest.mark.parametrize('name', DIVERGENCES)
def test_the_automatic_grid_equals_a_fine_one(name):
    for function in (f_divergence, eta):
        fine = function(name, *CASES['B'], grid=FINE_GRID)
        assert function(name, *CASES['B']) == pytest.approx(fine, rel=1e-12)


@pytest.mark.parametrize('s', [0, 0.25, 1, 10])
@pytest.mark.parametrize('name', ['kl', 'reverse_kl'])
def test_kl_of_gaussians_in_closed_form(name, s):
    (m, v), (n, w) = ((0, 1 + s), (1, 2 + s)) if name == 'kl' else ((1, 2 + s), (0, 1 + s))
    expected = 0.5 * (math.log(w / v) + (v + (m - n) ** 2) / w - 1)
    assert f_divergence(name, *noisy('A', s)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize('name', DIVERGENCES)
def test_equal_laws_do_not_diverge(name):
    p = CASES['B'][0]
    assert f_divergence(name, p, p) == 0
    assert eta(name, p, p) == 0


@pytest.mark.parametrize('name', DIVERGENCES)
@pytest.mark.parametrize('noise', ['gaussian', 'uniform', 'laplace'])
def test_noise_of_any_law_only_shrinks_divergence(name, noise):
    values = [f_divergence(name, *noisy('B', s, noise)) for s in (0, 0.1, 0.5, 2)]
    assert all(np.diff(values) < 0)
    assert values[-1] > 0


@pytest.mark.parametrize('name', DIVERGENCES)
@pytest.mark.parametrize('case', ['A', 'B', 'C'])
def test_theorem_1_integrated(name, case):
    balance = divergence_balance(name, *CASES[case], 0.25)
    assert balance.clean == pytest.approx(balance.noisy + balance.integral, rel=1e-10)
    assert balance.first_order == pytest.approx(0.125 * eta(name, *noisy(case, 0.25)))


@pytest.mark.parametrize('name', DIVERGENCES)
def test_the_first_order_form_is_exact_in_the_limit(name):
    errors = []
    for s in (0.02, 0.01):
        balance = divergence_balance(name, *CASES['B'], s)
        errors.append(abs(balance.first_order - balance.integral))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)  # the remainder is quadratic


@pytest.mark.parametrize('name', DIVERGENCES)
@pytest.mark.parametrize('log_ratio', [-3.0, -0.2, 0.4, 5.0])
def test_weights_are_second_derivatives_of_the_generator(name, log_ratio):
    def f(t):  # q f(p/q) with q = 1
        return float(GENERATORS[name].integrand(np.log(t), np.zeros(())))

    r = math.exp(log_ratio)
    h = 1e-3 * r
    second = (-f(r + 2 * h) + 16 * f(r + h) - 30 * f(r) + 16 * f(r - h) - f(r - 2 * h)) / (
        12 * h * h
    )
    weight = float(np.exp(GENERATORS[name].log_weight(np.zeros(()), -np.float64(log_ratio))))
    assert weight == pytest.approx(r * second, rel=1e-5)


# Infinite values


@pytest.mark.parametrize('variance', [0.1, 0.4, 0.5])
@pytest.mark.parametrize('function', [f_divergence, eta])
def test_chi2_is_infinite_where_q_falls_too_fast(function, variance):
    assert function('chi2', gaussian(0, 1), gaussian(0, variance)) == math.inf
    for name in ('kl', 'reverse_kl', 'js', 'hellinger'):
        assert math.isfinite(function(name, gaussian(0, 1), gaussian(0, variance)))


@pytest.mark.parametrize('variance', [0.501, 0.51, 0.6, 3])
def test_chi2_close_to_where_it_ends(variance):
    expected = variance / math.sqrt(2 * variance - 1) - 1
    found = f_divergence('chi2', gaussian(0, 1), gaussian(0, variance))
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ('p', 'q', 'finite'),
    [
        (GaussianMixture((0.999, 0.001), (0, 0), (0.1, 1)), gaussian(0, 0.4), False),
        (gaussian(0, 1), GaussianMixture((0.999, 0.001), (0, 0), (0.1, 1)), True),
        (gaussian(0, 1).with_noise(0.1, 'laplace'), gaussian(0, 9), False),
        (gaussian(0, 1), gaussian(0, 0.4).with_noise(0.1, 'laplace'), True),
        (gaussian(0, 1).with_noise(4, 'uniform'), gaussian(0, 0.4), False),
        (gaussian(0, 1).with_noise(4, 'uniform'), gaussian(0, 0.6), True),
        (
            gaussian(0, 1).with_noise(0.4, 'laplace'),
            gaussian(0, 1).with_noise(0.09, 'laplace'),
            False,
        ),
        (
            gaussian(0, 1).with_noise(0.4, 'laplace'),
            gaussian(0, 1).with_noise(0.11, 'laplace'),
            True,
        ),
    ],
)
def test_the_slowest_tail_decides_about_chi2(p, q, finite):
    assert math.isfinite(f_divergence('chi2', p, q)) == finite
    assert math.isfinite(eta('chi2', p, q)) == finite


def test_infinite_chi2_becomes_finite_with_noise():
    balance = divergence_balance('chi2', gaussian(0, 1), gaussian(0, 0.4), 0.3)
    assert balance.clean == math.inf
    assert balance.integral == math.inf
    v, w = 1.3, 0.7
    assert balance.noisy == pytest.approx(w / math.sqrt(v * (2 * w - v)) - 1, rel=1e-12)


@pytest.mark.parametrize(
    ('name', 'extra', 'missing'),
    [
        ('kl', math.inf, 0.0),
        ('reverse_kl', 0.0, math.inf),
        ('chi2', math.inf, 0.5),
        ('js', 0.25 * math.log(2), 0.25 * math.log(2)),
        ('hellinger', 0.25, 0.25),
    ],
)
def test_labels_that_only_one_law_has(name, extra, missing):
    law = gaussian(0, 1)
    both, one = LabelledLaw({0: (0.5, law), 1: (0.5, law)}), LabelledLaw({0: (1.0, law)})
    constant = {r: float(GENERATORS[name].integrand(np.log(r), np.zeros(()))) for r in (0.5, 2.0)}
    found = f_divergence(name, both, one), f_divergence(name, one, both)
    assert found[0] == pytest.approx(constant[0.5] + extra)
    assert found[1] == pytest.approx(0.5 * constant[2.0] + missing)
    assert eta(name, both, one) == (math.inf if math.isinf(extra) else 0.0)
    assert eta(name, one, both) == (math.inf if math.isinf(missing) else 0.0)


# Refusals


@pytest.mark.parametrize('name', ['tv', 'total_variation', 'TV'])
@pytest.mark.parametrize('function', [f_divergence, eta])
def test_total_variation_is_refused(function, name):
    with pytest.raises(ConfigError, match="no second derivative f''"):
        function(name, *CASES['A'])


def test_unknown_divergences_name_the_nearest():
    with pytest.raises(UnknownNameError, match=r'helinger.*Nearest: hellinger'):
        f_divergence('helinger', *CASES['A'])


@pytest.mark.parametrize(
    ('grid', 'message'),
    [
        ((-2, 2, 4001), 'died away at -2 and 2'),
        ((-40, 40, 101), 'needs more than 640 points, got 101'),
        ((40, -40, 4001), 'low < high'),
        ((-40, 40, 4001.5), 'grid points.*4001.5'),
        ((-40, 40), r'\(low, high, points\)'),
    ],
)
def test_grids_that_give_wrong_numbers_are_refused(grid, message):
    with pytest.raises(ConfigError, match=message):
        f_divergence('kl', *CASES['A'], grid=grid)


def test_widths_that_no_even_grid_resolves_are_refused():
    with pytest.raises(DataError, match='standard deviation of 1e-06'):
        f_divergence('kl', gaussian(0, 1), gaussian(0, 1e-12))


def test_plain_and_labelled_laws_do_not_mix():
    with pytest.raises(ConfigError, match='GaussianMixture and LabelledLaw'):
        f_divergence('kl', CASES['A'][0], CASES['C'][1])


# Monte Carlo


def sampled_1d(case, count=40_000):
    """Return samples' log ratio and scores of P and Q; labels count as in the joint law."""
    p, q = CASES[case]
    rng = np.random.default_rng(11)
    if case != 'C':
        x = p.sample(count, rng)
        return p.log_density(x) - q.log_density(x), p.score(x), q.score(x)
    x, y = p.sample(count, rng)
    rows = [
        (p.log_density(at, to) - q.log_density(at, to), p.score(at, to), q.score(at, to))
        for at, to in zip(x[:4000], y[:4000], strict=True)
    ]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@pytest.fixture(scope='module', params=['A', 'B', 'C'])
def samples(request):
    return request.param, sampled_1d(request.param)


@pytest.mark.parametrize('name', DIVERGENCES)
def test_samples_agree_with_quadrature(samples, name):
    case, (log_ratio, score_p, score_q) = samples
    divergence = sampled_divergence(name, log_ratio)
    found = sampled_eta(name, score_p, score_q, log_ratio)
    for estimate, exact in ((divergence, f_divergence), (found, eta)):
        error = abs(estimate.value - exact(name, *CASES[case]))
        assert 0 < error < 4 * estimate.standard_error
        assert estimate.standard_error < 0.2 * estimate.value


GAUSSIANS = (np.array([[1.0, 0.3, 0.0], [0.3, 0.8, 0.1], [0.0, 0.1, 0.6]]), np.diag([1.3, 1, 0.9]))
SHIFT = np.array([0.3, -0.2, 0.1])


@pytest.fixture(scope='module')
def gaussians_3d():
    """Return samples of P = N(0, S), their log ratio to Q = N(shift, T), and both scores."""
    s, t = GAUSSIANS
    x = np.random.default_rng(5).multivariate_normal(np.zeros(3), s, size=40_000)
    score_p, score_q = -x @ np.linalg.inv(s), -(x - SHIFT) @ np.linalg.inv(t)
    log_p = 0.5 * np.sum(x * score_p, axis=1) - 0.5 * np.linalg.slogdet(s)[1]
    log_q = 0.5 * np.sum((x - SHIFT) * score_q, axis=1) - 0.5 * np.linalg.slogdet(t)[1]
    return log_p - log_q, score_p, score_q


def moment_matrix():
    """Return E_P[u u^T] of the score difference ``u = (T^-1 - S^-1) x - T^-1 shift``."""
    s, t = GAUSSIANS
    slope, offset = np.linalg.inv(t) - np.linalg.inv(s), np.linalg.inv(t) @ SHIFT
    return slope @ s @ slope.T + np.outer(offset, offset)


def test_samples_of_gaussians_in_three_dimensions(gaussians_3d):
    log_ratio, score_p, score_q = gaussians_3d
    s, t = GAUSSIANS
    inverse = np.linalg.inv(t)
    kl = 0.5 * (np.trace(inverse @ s) - 3 + SHIFT @ inverse @ SHIFT)
    kl += 0.5 * (np.linalg.slogdet(t)[1] - np.linalg.slogdet(s)[1])
    found = sampled_divergence('kl', log_ratio)
    assert abs(found.value - kl) < 4 * found.standard_error
    found = sampled_eta('kl', score_p, score_q)
    assert abs(found.value - np.trace(moment_matrix())) < 4 * found.standard_error


def test_the_matrix_derivative_for_noise_of_any_covariance(gaussians_3d):
    log_ratio, score_p, score_q = gaussians_3d
    found = sampled_derivative('kl', score_p, score_q)
    assert np.all(np.abs(found.value + 0.5 * moment_matrix()) < 4 * found.standard_error)
    for name in DIVERGENCES:
        matrix = sampled_derivative(name, score_p, score_q, log_ratio).value
        total = sampled_eta(name, score_p, score_q, log_ratio).value
        assert np.trace(matrix) == pytest.approx(-total / 2)


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda: sampled_divergence('kl', [1.0]), 'two samples'),
        (lambda: sampled_divergence('kl', [1.0, math.nan]), 'log_ratio.*nan at index 1'),
        (lambda: sampled_eta('js', [1.0, 2.0], [1.0, 2.0]), 'log_ratio: expected one number'),
        (lambda: sampled_eta('kl', np.ones((4, 2)), np.ones((4, 3))), r'score_q.*\(4, 2\)'),
        (lambda: sampled_eta('js', np.ones(4), np.ones(4), np.ones(3)), 'log_ratio.*4 numbers'),
    ],
)
def test_bad_samples_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()

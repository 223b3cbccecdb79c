"""Spectra of the 68 colour images of CBSD68 and the levels they call for: known figures."""

from pathlib import Path

import numpy as np
import pytest

from noiseedit.imaging import list_images
from noiseedit.theory import (
    average_kl,
    break_even_variance,
    dft_spectrum,
    floor_eigenvalues,
    gaussian_kl,
    kl_table,
    minimax_variance,
    patch_spectrum,
    patch_statistics,
    rounding_variance,
    spectral_slope,
)

FOLDER = Path(__file__).resolve().parents[2] / '../shared/data/testsets/CBSD68'
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason='CBSD68 is not in ../shared/data/testsets beside the checkout'
)

TABLE_E = [0, 0.01, 0.02, 0.04, 0.08, 0.16]
TABLE = {
    0: [0, 0.53305, 1.28851, 2.94687, 6.45785, 13.7162],
    0.02: [0.29676, 0.03718, 0, 0.07309, 0.41353, 1.33080],
    0.04: [0.47069, 0.14935, 0.05042, 0, 0.09341, 0.51663],
    0.08: [0.68957, 0.32920, 0.19123, 0.06273, 0, 0.11092],
    0.16: [0.94644, 0.56308, 0.40212, 0.22765, 0.07297, 0],
}


@pytest.fixture(scope='module')
def luma():
    return patch_spectrum(FOLDER)


@pytest.fixture(scope='module')
def rgb():
    return patch_spectrum(FOLDER, channels='rgb')


@pytest.fixture(scope='module')
def psd():
    return dft_spectrum(FOLDER)


def near(expected, digits=5):
    """Compare to as many digits as are known."""
    return pytest.approx(expected, rel=0.6 * 10.0 ** (1 - digits))


def leading(eigenvalues, *numbers):
    return [eigenvalues[number - 1] for number in numbers]


def test_luma_patches(luma):
    found = patch_statistics(list_images(FOLDER))
    assert (found.images, found.count, found.dimension) == (68, 163_200, 64)
    np.testing.assert_array_equal(found.eigenvalues, luma)  # none is below the floor
    assert luma.mean() == near(0.226500)
    expected = [12.3445, 0.457163, 0.153714, 0.0662797, 0.0270538, 0.0106246, 0.000716348]
    assert leading(luma, 1, 2, 4, 8, 16, 32, 64) == near(expected)


def test_rgb_patches(rgb):
    assert rgb.shape == (192,)
    assert rgb.mean() == near(0.246041)
    expected = [36.2902, 3.89504, 1.11611, 0.359369, 0.106890, 0.0390792, 0.00804156]
    assert leading(rgb, 1, 2, 4, 8, 16, 32, 64) == near(expected)
    assert rgb.min() == near(1.0903e-5)


@pytest.mark.parametrize(
    ('name', 'lambda_max', 'expected'),
    [
        ('luma', 0.0025, 0.001069),
        ('luma', 0.01, 0.003738),
        ('luma', 0.04, 0.012641),
        ('luma', 0.16, 0.041670),
        ('rgb', 0.0025, 0.000539),
        ('rgb', 0.01, 0.001775),
        ('rgb', 0.04, 0.006106),
        ('rgb', 0.16, 0.021894),
    ],
)
def test_minimax_level(name, lambda_max, expected, request):
    found = minimax_variance(request.getfixturevalue(name), lambda_max)
    assert found == pytest.approx(expected, abs=0.6e-6)
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(('patch_size', 'expected'), [(4, 0.043029), (16, 0.040978)])
def test_patch_size_hardly_matters(patch_size, expected):
    found = patch_spectrum(FOLDER, patch_size)
    assert minimax_variance(found, 0.16) == near(expected)


def test_fourier_spectrum(psd):
    assert psd.min() > rounding_variance()
    found = minimax_variance(floor_eigenvalues(psd.ravel(), rounding_variance()), 0.16)
    assert found == near(0.042515)
    assert spectral_slope(psd) == pytest.approx(-2.28, abs=0.005)


@pytest.mark.parametrize(
    ('train_variance', 'expected'),
    [(0.0025, 0.000881), (0.01, 0.002421), (0.04, 0.005509), (0.08, 0.007718)],
)
def test_break_even(luma, train_variance, expected):
    found = break_even_variance(luma, train_variance)
    assert found == pytest.approx(expected, abs=0.6e-6)
    assert found < train_variance / 2


def test_divergence_per_dimension(luma):
    found = kl_table(luma, list(TABLE), TABLE_E) / len(luma)
    np.testing.assert_allclose(found, list(TABLE.values()), rtol=1e-5, atol=0.6e-5)
    assert found[2, 5] == gaussian_kl(luma, 0.04, 0.16) / 64


@pytest.mark.parametrize(
    ('name', 'expected'),
    [('luma', (418.72, 10.678, 5.4189)), ('rgb', (159307, 117.19, 21.916))],
)
def test_average_divergence(name, expected, request):
    spectrum = request.getfixturevalue(name)
    levels = (0, minimax_variance(spectrum, 0.16), 0.08)
    found = [average_kl(spectrum, level, 0.16) for level in levels]
    assert found == near(list(expected))

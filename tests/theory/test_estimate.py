"""Noise estimated from images: known noise on flat, synthetic and natural pictures."""

from pathlib import Path

import numpy as np
import pytest

from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import list_images, read_image, write_image
from noiseedit.theory import deployment_levels, estimate_noise_variance, half_size_ratio

METHODS = ('eigenvalue', 'wavelet')
TESTSETS = Path(__file__).resolve().parents[2] / '../shared/data/testsets'

# Mean and worst error of sigma over images, in 8-bit units, per method and sigma.
BOUNDS = {
    ('eigenvalue', 10): (1.5, 3.5),
    ('eigenvalue', 25): (1.2, 2.5),
    ('eigenvalue', 50): (1.2, 2.5),
    ('wavelet', 10): (2.0, 4.0),
    ('wavelet', 25): (1.3, 2.5),
    ('wavelet', 50): (1.2, 2.5),
}


def gradient(size=256):
    """Return a smooth colour picture in [0.2, 0.8]."""
    ramp = np.linspace(0, 1, size)
    planes = [ramp[:, None] * np.ones(size), np.outer(ramp, ramp), 1 - ramp * np.ones((size, 1))]
    return 0.2 + 0.6 * np.stack(planes, axis=2)


def noisy(image, sigma, seed=0):
    """Add Gaussian noise of ``sigma`` 8-bit units to an image in [0, 1]."""
    return image + np.random.default_rng(seed).normal(0, sigma / 255, image.shape)


def sigma_of(image, method):
    return estimate_noise_variance(image, method, 'uint8') ** 0.5


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('sigma', [1, 10, 25, 50])
def test_noise_on_a_smooth_picture(method, sigma):
    assert sigma_of(noisy(gradient(), sigma), method) == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize('method', METHODS)
def test_pictures_without_noise_or_detail_have_none(method):
    assert sigma_of(gradient(), method) < 0.1
    assert estimate_noise_variance(np.full((32, 32), 77, np.uint8), method) < 1e-18


@pytest.mark.parametrize('method', METHODS)
def test_estimate_scales_with_noise_and_range(method):
    noise = np.random.default_rng(0).normal(0, 0.1, (64, 64))
    wide, narrow, eight_bit = (
        estimate_noise_variance(0.5 + noise, method, r) for r in ('[-1,1]', '[0,1]', 'uint8')
    )
    assert wide == estimate_noise_variance(0.5 + noise, method)
    assert (wide, eight_bit) == (pytest.approx(4 * narrow), pytest.approx(255**2 * narrow))
    halved = estimate_noise_variance(0.5 + noise / 2, method, '[0,1]')
    assert halved == pytest.approx(narrow / 4, rel=1e-3)


@pytest.mark.parametrize('method', METHODS)
def test_colour_is_the_mean_over_channels(method):
    image = noisy(gradient(64), 10)
    image[:, :, 1] += noisy(np.zeros((64, 64)), 20, seed=1)
    channels = [estimate_noise_variance(image[:, :, c], method) for c in range(3)]
    assert estimate_noise_variance(image, method) == pytest.approx(np.mean(channels), rel=1e-4)


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('size', [32, 64, 128])
def test_small_pictures_are_not_estimated_too_low(method, size):
    flat = np.full((size, size), 0.5)
    found = [
        estimate_noise_variance(noisy(flat, 25.5, seed), method, '[0,1]') for seed in range(40)
    ]
    assert np.mean(found) == pytest.approx(0.01, rel=0.06)


@pytest.mark.parametrize('method', METHODS)
def test_clipped_noise_is_estimated_as_what_is_left_of_it(method):
    flat = np.zeros((128, 128))
    clipped = noisy(flat, 25).clip(0, 1)
    unclipped = estimate_noise_variance(noisy(flat, 25), method)
    left = estimate_noise_variance(clipped, method) / unclipped
    assert left < 0.36
    if method == 'eigenvalue':
        assert left == pytest.approx(0.3408, rel=0.03)


def test_rounding_adds_the_variance_of_a_step():
    image = noisy(gradient(), 1)
    rounded = np.rint(image * 255).clip(0, 255).astype(np.uint8)
    added = estimate_noise_variance(rounded, value_range='uint8')
    added -= estimate_noise_variance(image, value_range='uint8')
    assert added == pytest.approx(1 / 12, rel=0.3)


@pytest.mark.parametrize('sigma', [5, 25, 50])
def test_wavelet_estimate_against_other_libraries(sigma):
    pywt = pytest.importorskip('pywt')
    from skimage.restoration import estimate_sigma

    image = noisy(gradient(), sigma)[:, :, 0]
    found = estimate_noise_variance(image, 'wavelet', '[0,1]')
    inside = pywt.dwt2(image, 'db2')[1][2][1:-1, 1:-1]
    assert found == pytest.approx((np.median(np.abs(inside)) / 0.6744897501960817) ** 2, rel=1e-9)
    assert found == pytest.approx(estimate_sigma(image) ** 2, rel=0.03)


@pytest.mark.parametrize('testset', ['Set12', 'CBSD68'])
@pytest.mark.parametrize(('method', 'sigma'), BOUNDS)
def test_noise_on_natural_pictures(testset, method, sigma):
    if not (TESTSETS / testset).is_dir():
        pytest.skip(f'{testset} is not in ../shared/data/testsets beside the checkout')
    files = list_images(TESTSETS / testset)[:8]
    pictures = [read_image(file, channels=1)[64:256, 64:256] / 255 for file in files]
    found = [sigma_of(noisy(one, sigma, seed), method) for seed, one in enumerate(pictures)]
    errors = np.abs(np.array(found) - sigma)
    print(f'{testset} {method} {sigma}: mean error {errors.mean():.2f}, worst {errors.max():.2f}')
    mean, worst = BOUNDS[method, sigma]
    assert errors.mean() < mean
    assert errors.max() < worst


# Noise that is not white.


def blurred(noise):
    """Return noise that neighbours share."""
    shared = noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, (1, 1), (0, 1))
    return shared / 2


def test_half_size_ratio_tells_white_noise_from_noise_that_neighbours_share():
    noises = [np.random.default_rng(seed).normal(0, 0.1, (128, 96, 3)) for seed in range(3)]
    assert half_size_ratio([0.5 + noise for noise in noises]) == pytest.approx(1, rel=0.05)
    assert half_size_ratio([0.5 + blurred(noise) for noise in noises]) > 3
    byte = [np.rint(255 * (0.5 + noise)).clip(0, 255).astype(np.uint8) for noise in noises]
    assert half_size_ratio(byte) == pytest.approx(1, rel=0.05)


def test_half_size_ratio_of_nothing_to_measure():
    assert half_size_ratio([np.full((64, 64), 7, np.uint8)]) is None
    assert half_size_ratio([np.random.default_rng(0).random((47, 64))]) is None
    with pytest.raises(DataError, match='at least one image'):
        half_size_ratio([])


def test_camera_noise_is_correlated_and_estimated_several_times_too_low():
    folder = TESTSETS / '../real_noise/CC15'
    if not folder.is_dir():
        pytest.skip('CC15 is not in ../shared/data/real_noise beside the checkout')
    files = sorted(folder.glob('*_real.png'))
    pairs = [(read_image(f), read_image(str(f).replace('_real', '_mean'))) for f in files]
    true = np.mean([np.var(noisy.astype(float) - mean) for noisy, mean in pairs]) ** 0.5
    found = deployment_levels(files, value_range='uint8').mean_variance ** 0.5
    print(f'CC15: sigma {true:.2f}, estimated {found:.2f}')
    assert len(files) == 15
    assert true == pytest.approx(5.6, abs=0.1)
    assert found == pytest.approx(1.1, abs=0.1)
    assert half_size_ratio(files) > 8


# Levels of a set.


def test_deployment_levels(tmp_path):
    sigmas = np.linspace(5, 45, 21)
    pictures = [noisy(gradient(48), sigma, seed) for seed, sigma in enumerate(sigmas)]
    found = deployment_levels(pictures, 'wavelet', value_range='uint8')
    single = [estimate_noise_variance(one, 'wavelet', 'uint8') for one in pictures]
    np.testing.assert_allclose(found.variances, single)
    assert found.mean_variance == pytest.approx(np.mean(single))
    assert found.max_variance == pytest.approx(np.percentile(single, 95))
    assert found.mean_variance == pytest.approx(np.mean(sigmas**2), rel=0.1)
    assert found.max_variance == pytest.approx(43**2, rel=0.1)
    assert found.value_range == 'uint8'
    for index, one in enumerate(pictures[:3]):
        write_image(tmp_path / f'{index}.png', one, bits=16)
    clipped = [one.clip(0, 1) for one in pictures[:3]]
    read = deployment_levels(tmp_path).variances
    np.testing.assert_allclose(read, deployment_levels(clipped).variances, rtol=1e-3)


# Bad input.


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (np.zeros((23, 40), np.uint8), '23 x 40 is too small.* 24 x 24'),
        (np.full((32, 32), np.nan), 'NaN'),
        (np.full((32, 32), 128.0), 'expected floats in'),
        (np.zeros((2, 32, 32, 3), np.uint8), 'got'),
        ('nowhere.png', 'nowhere.png'),
        (None, 'got NoneType'),
    ],
)
def test_bad_images(method, image, message):
    with pytest.raises(DataError, match=message):
        estimate_noise_variance(image, method)


def test_bad_options_and_sets():
    with pytest.raises(ConfigError, match="got 'fourier'"):
        estimate_noise_variance(gradient(32), 'fourier')
    with pytest.raises(ConfigError, match='value_range'):
        estimate_noise_variance(gradient(32), value_range='[0,2]')
    with pytest.raises(DataError, match='at least one image'):
        deployment_levels([])
    with pytest.raises(DataError, match=r'images\[1\]: 4 x 4 is too small'):
        deployment_levels([gradient(32), np.zeros((4, 4))])

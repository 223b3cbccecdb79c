"""Spectra of images: against NumPy, and against what is known of them."""

import numpy as np
import pytest
from smooth_pictures import picture

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory import (
    correct_noise,
    dft_spectrum,
    floor_eigenvalues,
    patch_spectrum,
    patch_statistics,
    rounding_variance,
    spectral_slope,
    usable_spectrum,
)

WEIGHTS = np.array([0.299, 0.587, 0.114])


def plain_patches(images, p, luma):
    """Return all patches (n, d) in [-1, 1], cut one at a time."""
    found = []
    for image in images:
        values = (image @ WEIGHTS)[:, :, None] if luma else image
        for top in range(0, image.shape[0] - p + 1, p):
            for left in range(0, image.shape[1] - p + 1, p):
                patch = values[top : top + p, left : left + p] / 127.5 - 1
                found.append(patch.transpose(2, 0, 1).ravel())
    return np.array(found)


@pytest.fixture(scope='module')
def images():
    return [picture(67, 83, 0), picture(40, 120, 1), picture(48, 48, 2)]


# Patches.


@pytest.mark.parametrize('channels', ['luma', 'rgb', 'each'])
@pytest.mark.parametrize('p', [3, 4])
def test_covariance_is_that_of_numpy(images, channels, p):
    flat = plain_patches(images, p, channels == 'luma')
    expected = np.cov(flat.T, bias=True)
    if channels == 'each':
        expected *= np.kron(np.eye(3), np.ones((p * p, p * p)))
    found = patch_statistics(images, p, channels)
    np.testing.assert_allclose(found.covariance, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.mean, flat.mean(0), rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.moments, (flat.mean(), (flat**2).mean()), rtol=1e-12)
    assert (found.count, found.images, found.dimension) == (len(flat), 3, flat.shape[1])


@pytest.mark.parametrize('channels', ['luma', 'rgb', 'each'])
def test_eigenvectors_belong_to_descending_eigenvalues(images, channels):
    found = patch_statistics(images, 3, channels)
    values, vectors = found.eigenvalues, found.eigenvectors
    assert (np.diff(values) <= 0).all()
    np.testing.assert_allclose(found.covariance @ vectors, vectors * values, atol=1e-12)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(values)), atol=1e-12)


def test_spectrum_of_each_channel_is_that_of_the_three(images):
    apart = [patch_spectrum([image[:, :, c] for image in images], 4) for c in range(3)]
    together = np.sort(np.concatenate(apart))[::-1]
    np.testing.assert_allclose(patch_spectrum(images, 4, 'each'), together, rtol=1e-9)


@pytest.mark.parametrize('channels', ['luma', 'rgb', 'each'])
def test_floats_mean_the_same_as_8_bits(images, channels):
    from_bytes = patch_statistics(images, 4, channels)
    from_floats = patch_statistics([image / 255 for image in images], 4, channels)
    np.testing.assert_allclose(from_floats.covariance, from_bytes.covariance, atol=1e-14)
    np.testing.assert_array_equal(from_floats.histogram, from_bytes.histogram)


def test_value_range_only_scales(images):
    narrow, wide, eight_bit = (
        patch_statistics(images, 4, value_range=r) for r in ('[0,1]', '[-1,1]', 'uint8')
    )
    np.testing.assert_allclose(wide.eigenvalues, 4 * narrow.eigenvalues, rtol=1e-9)
    np.testing.assert_allclose(eight_bit.eigenvalues, 255**2 * narrow.eigenvalues, rtol=1e-9)
    np.testing.assert_allclose(wide.mean, 2 * narrow.mean - 1)
    assert narrow.share_near_limits(0.1) == wide.share_near_limits(0.2)


def test_grey_is_its_own_luma_and_repeated_else(images):
    grey = [image[:, :, :1] for image in images]
    repeated = [np.repeat(image, 3, axis=2) for image in grey]
    for channels in ('luma', 'rgb', 'each'):
        found = patch_statistics(grey, 4, channels).covariance
        np.testing.assert_array_equal(found, patch_statistics(repeated, 4, channels).covariance)
    flat = [image[:, :, 0] for image in grey]
    np.testing.assert_array_equal(patch_spectrum(flat, 4), patch_spectrum(grey, 4))
    assert (patch_spectrum(grey, 4, 'rgb')[16:] == rounding_variance()).all()


def test_histogram_counts_levels_of_the_pixels_used(images):
    found = patch_statistics(images[:1], 8, 'each')
    used = images[0][:64, :80]
    np.testing.assert_array_equal(found.histogram, np.bincount(used.ravel(), minlength=256))
    luma = patch_statistics(images[:1], 8)
    expected = np.bincount(np.rint(used @ WEIGHTS).astype(int).ravel(), minlength=256)
    assert np.abs(luma.histogram - expected).sum() <= 2  # ties of rounding


def test_share_near_limits():
    values = np.array([0, 10, 100, 128, 200, 250], np.uint8)
    found = patch_statistics([np.tile(values, (48, 8))], 2)
    assert found.share_near_limits(0) == pytest.approx(1 / 6)
    assert found.share_near_limits(6 / 127.5) == pytest.approx(3 / 6)
    assert found.share_near_limits(6 / 127.5, multiple=1) == pytest.approx(2 / 6)
    assert found.share_near_limits(1) == 1
    with pytest.raises(ConfigError, match='sigma'):
        found.share_near_limits(-0.1)


# Floor and noise of the data.


def test_floor_is_one_rounding_step_and_noise_is_taken_off():
    assert rounding_variance() == pytest.approx(5.126e-6, rel=1e-4)
    np.testing.assert_array_equal(floor_eigenvalues([1, 0.1, -1e-18], 0.2), [1, 0.2, 0.2])
    np.testing.assert_allclose(correct_noise([1, 0.1, 0.04], 0.05), [0.95, 0.05, 0.005])
    plain = usable_spectrum([1e-9, 1.0])
    assert plain.eigenvalues.tolist() == [1.0, rounding_variance()]
    assert (plain.floor, plain.floored, plain.noise_variance) == (rounding_variance(), 1, 0)
    noisy = usable_spectrum([0.04, 1.0, 0.1], noise_variance=0.05)
    np.testing.assert_allclose(noisy.eigenvalues, [0.95, 0.05, 0.005])
    assert (noisy.floor, noisy.floored) == (pytest.approx(0.005), 1)
    assert usable_spectrum([1.0], noise_variance=1e-7).floor == rounding_variance()


def test_noise_in_the_data_is_taken_off_the_spectrum():
    rng = np.random.default_rng(0)
    clean = [picture(256, 256, seed)[:, :, 0] / 255 for seed in range(3)]
    sigma = 0.05
    noisy = [image + rng.normal(0, sigma, image.shape) for image in clean]
    known = patch_spectrum(clean, 4, value_range='[0,1]')
    corrected = patch_spectrum(noisy, 4, value_range='[0,1]', noise_variance=sigma**2)
    large = known > sigma**2
    assert 1 < large.sum() < 16
    np.testing.assert_allclose(corrected[large], known[large], rtol=0.05)
    assert corrected.min() >= sigma**2 / 10


# Fourier spectrum.


def test_mean_power_is_the_windowed_variance(images):
    size = 32
    hann = np.sin(np.pi * np.arange(size) / size) ** 2
    window = np.outer(hann, hann)
    expected = []
    for image in images:
        top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
        luma = (image @ WEIGHTS)[top : top + size, left : left + size] / 127.5 - 1
        expected.append(((luma - luma.mean()) ** 2 * window**2).sum() / (window**2).sum())
    psd = dft_spectrum(images, size)
    assert psd.shape == (size, size)
    assert psd.mean() == pytest.approx(np.mean(expected), rel=1e-12)
    assert dft_spectrum(images, size, value_range='[0,1]').mean() == pytest.approx(psd.mean() / 4)


def test_channels_of_the_fourier_spectrum(images):
    found = dft_spectrum(images, 32, 'each')
    for index in range(3):
        alone = dft_spectrum([image[:, :, index] for image in images], 32)
        np.testing.assert_allclose(found[index], alone, rtol=1e-6, atol=1e-12)


def test_white_noise_has_a_flat_spectrum_of_its_variance():
    rng = np.random.default_rng(0)
    noise = [rng.normal(0.5, 0.1, (64, 64)) for _ in range(50)]
    psd = dft_spectrum(noise, 64, value_range='[0,1]')
    assert psd.mean() == pytest.approx(0.01, rel=0.02)
    assert spectral_slope(psd) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize('slope', [-2.0, -0.7, 1.5])
@pytest.mark.parametrize('shape', [(64, 64), (3, 48, 80)])
def test_slope_of_a_power_law(slope, shape):
    radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape[-2:]), indexing='ij'))
    radius[0, 0] = 1
    psd = np.broadcast_to(3 * radius**slope, shape)
    assert spectral_slope(psd) == pytest.approx(slope, abs=1e-10)


# Bad input.


def test_bad_input_of_the_fourier_spectrum(images):
    with pytest.raises(DataError, match=r'images\[1\]: 40 x 120 is smaller than the crop of 48'):
        dft_spectrum(images, 48)
    with pytest.raises(ConfigError, match="got 'rgb'"):
        dft_spectrum(images, 32, 'rgb')
    with pytest.raises(DataError, match='at least one image'):
        dft_spectrum([], 32)
    with pytest.raises(ConfigError, match='band'):
        spectral_slope(np.ones((8, 8)), 0.3, 0.31)
    with pytest.raises(DataError, match='positive'):
        spectral_slope(np.zeros((64, 64)))
    with pytest.raises(DataError, match='shape'):
        spectral_slope(np.ones(8))

"""Variance over intensity and autocorrelation of known noise; the figure and its command."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import fftconvolve

from noiseedit.errors import DataError
from noiseedit.imaging import read_image, write_image
from noiseedit.report.noise_curves import draw_noise_curves, with_gaussian
from noiseedit.theory.noise_curves import autocorrelation, noise_level_function

ROOT = Path(__file__).resolve().parents[2]
RAMP = np.tile(np.linspace(20, 230, 200), (300, 1))


def rng():
    return np.random.default_rng(0)


def test_gaussian_noise_has_a_flat_curve():
    curve = noise_level_function(RAMP + rng().normal(0, 5, RAMP.shape), RAMP, bins=10)
    assert len(curve.variance) == 10
    np.testing.assert_allclose(curve.variance, 25, rtol=0.08)
    np.testing.assert_allclose(curve.mean, 0, atol=0.25)
    assert curve.count.sum() == RAMP.size


def test_poisson_gaussian_noise_has_a_straight_curve():
    a, b = 0.8, 16.0
    noisy = a * rng().poisson(RAMP / a) + rng().normal(0, np.sqrt(b), RAMP.shape)
    curve = noise_level_function(noisy, RAMP)
    slope, offset = np.polyfit(curve.intensity, curve.variance, 1)
    assert slope == pytest.approx(a, rel=0.08)
    assert offset == pytest.approx(b, abs=8)


def test_an_offset_is_mean_and_no_variance():
    curve = noise_level_function(RAMP + 7, RAMP, bins=4)
    np.testing.assert_allclose(curve.mean, 7)
    np.testing.assert_allclose(curve.variance, 0, atol=1e-9)


def test_bins_with_few_values_are_left_out():
    clean = np.array([0.0] * 150 + [1.0] * 20)
    curve = noise_level_function(clean, clean, bins=5)
    assert curve.count.tolist() == [150]
    with pytest.raises(DataError, match='no bin of intensity has 100 values; 20 in all'):
        noise_level_function(clean[-20:], clean[-20:])


def test_white_noise_is_uncorrelated():
    across, down = autocorrelation(rng().normal(size=(200, 220, 3)), 5)
    assert across[0] == pytest.approx(1)
    assert down[0] == pytest.approx(1)
    assert np.abs([across[1:], down[1:]]).max() < 4 / np.sqrt(200 * 220)


def test_moving_averages_have_the_closed_form():
    noise = fftconvolve(rng().normal(size=(400, 400)), np.full((2, 4), 1), 'valid')
    across, down = autocorrelation(noise, 5)
    np.testing.assert_allclose(across, [1, 0.75, 0.5, 0.25, 0, 0], atol=0.02)
    np.testing.assert_allclose(down, [1, 0.5, 0, 0, 0, 0], atol=0.02)


def test_what_curves_refuse():
    with pytest.raises(DataError, match='two of one shape'):
        noise_level_function(RAMP, RAMP[1:])
    with pytest.raises(DataError, match='finite'):
        noise_level_function(RAMP * np.nan, RAMP)
    with pytest.raises(DataError, match='constant'):
        autocorrelation(np.ones((20, 20)))
    with pytest.raises(DataError, match='sides above 8'):
        autocorrelation(np.ones((8, 20)))


def test_the_figure_shows_all_noises(tmp_path):
    clean = np.tile(RAMP[:64, :, None], 3).astype(np.uint8)
    real = np.clip(clean + rng().normal(0, 9, clean.shape), 0, 255) / 255
    noisy = with_gaussian({'real': real}, clean)
    assert list(noisy) == ['real', 'Gaussian, sigma 9.0']
    drawn = noisy['Gaussian, sigma 9.0']
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, list(with_gaussian({'real': real}, clean).values())[1])
    curves = draw_noise_curves(noisy, clean, tmp_path / 'curves.png')
    assert list(curves) == list(noisy)
    assert np.mean(curves['real'].variance) == pytest.approx(81, rel=0.1)
    assert read_image(tmp_path / 'curves.png').shape[1] == 1536
    with pytest.raises(DataError, match='at least one'):
        draw_noise_curves({}, clean, tmp_path / 'none.png')


def test_the_command(tmp_path, monkeypatch, capsys):
    clean = np.tile(RAMP[:64, :, None], 3).astype(np.uint8)
    noisy = np.clip(np.rint(clean + rng().normal(0, 6, clean.shape)), 0, 255).astype(np.uint8)
    for name, image in (('clean', clean), ('noisy', noisy)):
        write_image(tmp_path / f'{name}.png', image)
    out = tmp_path / 'curves.png'
    files = [str(tmp_path / f'{name}.png') for name in ('clean', 'noisy')]
    monkeypatch.setattr(sys, 'argv', ['noise.py', 'curves', *files, '--gaussian', '-o', str(out)])
    runpy.run_path(str(ROOT / 'tools/noise.py'))['main']()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('noisy: standard deviation 5')
    assert lines[1].startswith('Gaussian, sigma 6.0: standard deviation')
    assert lines[2] == str(out)
    assert out.stat().st_size > 10_000

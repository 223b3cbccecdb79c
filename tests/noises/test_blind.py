"""The level of the noise in an image, from the image alone: against noise of known level."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from skimage import data

from noiseedit.errors import DataError
from noiseedit.noises import build
from noiseedit.noises.blind import (
    NoiseFunction,
    estimate_noise_function,
    estimate_sigma,
    noise_spec,
)
from noiseedit.noises.noise_line import clipped_moments, fit_line, unclipped


@pytest.fixture(scope='module')
def photo():
    """A photograph with smooth and textured parts, (1, 3, 200, 300)."""
    image = data.astronaut()[:200, 100:400]
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255


def corrupted(image, seed=0, **spec):
    return build(spec)(image, generator=torch.Generator().manual_seed(seed))


def gaussian(image, sigma, **more):
    return corrupted(image, type='GaussianNoise', sigma=sigma, unit=255, **more)


def poisson_gaussian(image, peak, sigma, **more):
    return corrupted(image, type='PoissonGaussianNoise', peak=peak, sigma=sigma, unit=255, **more)


# Sigma and the line of photographs.


@pytest.mark.parametrize(('sigma', 'within'), [(5, 0.2), (15, 0.05), (25, 0.05), (75, 0.05)])
@pytest.mark.parametrize('saved', [{}, {'clip': True, 'quantize': True}], ids=['float', '8 bits'])
def test_sigma_of_white_noise(photo, sigma, within, saved):
    found = 255 * estimate_sigma(gaussian(photo, sigma, **saved))
    assert found.shape == (1,)
    assert float(found) == pytest.approx(sigma, rel=within)


@pytest.mark.parametrize(('peak', 'sigma'), [(100, 5), (30, 10), (10, 15)])
@pytest.mark.parametrize('saved', [{}, {'clip': True, 'quantize': True}], ids=['float', '8 bits'])
def test_the_line_of_poisson_gaussian_noise(photo, peak, sigma, saved):
    found = estimate_noise_function(poisson_gaussian(photo, peak, sigma, **saved))
    for level in (0.2, 0.5, 0.8):
        truth = level / peak + (sigma / 255) ** 2
        line = found.a * level + found.b
        assert float(line.mean()) == pytest.approx(truth, rel=0.15)
    assert float(1 / found.a.mean()) == pytest.approx(peak, rel=0.2)


def test_images_and_channels_of_a_batch_are_estimated_by_themselves(photo):
    batch = torch.cat([gaussian(photo, 10), poisson_gaussian(photo, 20, 5)])
    together = estimate_noise_function(batch)
    for index, image in enumerate(batch):
        alone = estimate_noise_function(image[None])
        for name in ('a', 'b', 'mean', 'sigma', 'variance'):
            torch.testing.assert_close(getattr(together[index], name), getattr(alone, name))
    one_noisy = torch.cat([gaussian(photo[:, :1], 20), photo[:, 1:]], 1)
    red, green, _ = estimate_noise_function(one_noisy).sigma[0] * 255
    assert float(red) == pytest.approx(20, rel=0.05)
    assert float(green) < 5


def test_no_gradient_and_any_float(photo):
    noisy = gaussian(photo, 25).double().requires_grad_()
    assert not estimate_sigma(noisy).requires_grad
    torch.testing.assert_close(estimate_sigma(noisy), estimate_sigma(noisy.detach().float()))


def test_small_crops_will_do(photo):
    crops = torch.cat([photo[..., y : y + 70, x : x + 70] for y in (0, 100) for x in (0, 80, 200)])
    found = 255 * estimate_sigma(gaussian(crops, 25))
    assert float((found / 25 - 1).abs().max()) < 0.1
    least = 255 * estimate_sigma(gaussian(torch.full((4, 1, 24, 24), 0.5), 25))
    assert float((least / 25 - 1).abs().max()) < 0.25


def test_large_images_are_sampled():
    noisy = gaussian(torch.full((1, 1, 1200, 900), 0.4), 12)
    assert float(255 * estimate_sigma(noisy)) == pytest.approx(12, rel=0.03)


@pytest.mark.parametrize('value', [0.1, 0.5, 0.9])
def test_one_intensity_has_no_slope(value):
    found = estimate_noise_function(gaussian(torch.full((1, 1, 128, 128), value), 20, clip=True))
    assert float(found.a) == 0
    assert 255 * float(found.sigma) == pytest.approx(20, rel=0.05)


def test_an_image_without_noise_has_none():
    ramp = torch.linspace(0.1, 0.9, 128).expand(1, 1, 128, 128)
    assert 255 * float(estimate_sigma(ramp)) < 0.01


def test_correlated_noise_hides_from_high_frequencies_alone(photo):
    smooth = torch.nn.functional.avg_pool2d(
        torch.randn(1, 3, 202, 302, generator=torch.Generator().manual_seed(0)), 3, 1
    )
    sigma = 20 / 255
    noisy = photo + sigma * 3 * smooth
    white, broad = (estimate_sigma(noisy, correlated=flag) for flag in (False, True))
    assert float(white) < 0.3 * sigma
    assert float(broad) == pytest.approx(sigma, rel=0.25)
    alike = estimate_sigma(gaussian(torch.full((1, 1, 256, 256), 0.5), 20), correlated=True)
    assert float(alike) == pytest.approx(sigma, rel=0.02)


# Clipping and the line, by themselves.


def test_moments_of_a_clipped_normal_variable_are_those_of_scipy():
    for y, s in ((0.1, 0.2), (0.5, 0.5), (0.95, 0.03)):
        draw = np.clip(stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000, y, s), 0, 1)
        mean, variance = clipped_moments(*torch.tensor([[y], [s]], dtype=torch.float64))
        assert float(mean) == pytest.approx(draw.mean(), abs=1e-6)
        assert float(variance) == pytest.approx(draw.var(), abs=1e-5)


def test_clipping_is_undone():
    y = torch.tensor([0.02, 0.1, 0.3, 0.5, 0.8, 0.99], dtype=torch.float64)
    s = torch.tensor([0.2, 0.05, 0.3, 1e-3, 0.15, 0.02], dtype=torch.float64)
    mean, variance = unclipped(*clipped_moments(y, s))
    torch.testing.assert_close(mean, y, atol=1e-5, rtol=0)
    torch.testing.assert_close(variance, s.square(), atol=1e-7, rtol=1e-3)


def test_what_is_clipped_for_the_most_part_is_left_out():
    mean, variance = unclipped(
        torch.tensor([0.0, 1.0, 0.02, 0.5]), torch.tensor([0, 0, 0.01, 0.01])
    )
    assert mean.isfinite().all()
    assert variance.isnan().tolist() == [True, True, True, False]


def test_the_line_is_exact_and_ignores_texture():
    x = torch.linspace(0.05, 0.95, 16)
    v = 0.02 * x + 0.003
    v[3], v[12] = 0.5, math.nan
    a, b = fit_line(x[None], v[None], torch.tensor([1e-3]))
    assert (float(a), float(b)) == pytest.approx((0.02, 0.003), rel=0.01)


@pytest.mark.parametrize(('slope', 'base'), [(0.01, -0.0005), (-0.001, 0.004)])
def test_neither_part_of_the_line_is_negative(slope, base):
    x = torch.linspace(0.1, 0.9, 16)
    a, b = fit_line(x[None], (slope * x + base)[None], torch.tensor([1e-3]))
    assert min(float(a), float(b)) == 0
    assert max(float(a), float(b)) > 0


# As a noise.


def made(a, b, mean=0.5):
    a, b, mean = (torch.tensor([[value]]) for value in (a, b, mean))
    return NoiseFunction(a, b, mean, torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))


def test_the_spec_is_a_noise_of_that_level():
    spec = noise_spec(made(1 / 40, (5 / 255) ** 2))
    assert spec == {'type': 'PoissonGaussianNoise', 'peak': 40.0, 'sigma': 5.0, 'unit': 255}
    x = torch.full((1, 1, 2, 2), 0.3)
    noise = build(spec)
    variance = noise.variance(x, noise.sample_params(1, torch.Generator()))
    torch.testing.assert_close(variance, torch.full_like(x, 0.3 / 40 + (5 / 255) ** 2))
    read = noise_spec(made(1e-6, (5 / 255) ** 2))
    assert read == {'type': 'GaussianNoise', 'sigma': 5.003, 'unit': 255}
    assert build(noise_spec(made(0.0, 0.0))).level.low == 0
    several = noise_spec([made(1 / 40, 0.0), made(1 / 20, 0.0), made(1 / 10, 0.0)])
    assert several['peak'] == 20.0


def test_a_round_trip_through_a_spec(photo):
    spec = noise_spec(estimate_noise_function(poisson_gaussian(photo, 30, 10)))
    again = noise_spec(estimate_noise_function(corrupted(photo, 1, **spec)))
    assert again['peak'] == pytest.approx(30, rel=0.3)
    assert noise_spec(estimate_noise_function(gaussian(photo, 25)))['type'] == 'GaussianNoise'


def test_a_constant_image_has_no_noise():
    found = estimate_noise_function(torch.full((1, 3, 32, 32), 0.4))
    assert float(found.sigma.max()) < 1e-7
    assert noise_spec(found)['sigma'] < 1e-4


# What cannot be used.


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        (torch.zeros(3, 32, 32), r'expected float images \(N, C, H, W\).*got \(3, 32, 32\)'),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), r'torch.uint8'),
        (torch.zeros(1, 3, 20, 32), r'20 x 32 are too small.*at least 24 x 24'),
        (torch.full((1, 3, 32, 32), math.nan), 'NaN or infinity'),
        (torch.zeros(1, 3, 32, 32), 'image 0 of the batch, channel 0, is black or white alone'),
    ],
)
def test_a_bad_image_is_an_error(images, message):
    with pytest.raises(DataError, match=message):
        estimate_noise_function(images)


def test_no_image_makes_no_spec():
    with pytest.raises(DataError, match='at least one noise function'):
        noise_spec([])


# Real noise.

CC15 = (Path(__file__).resolve().parents[2] / '../shared/data/real_noise/CC15').resolve()


@pytest.mark.skipif(not CC15.is_dir(), reason=f'{CC15} is not here')
@pytest.mark.parametrize('name', ['5dmark3_iso3200_2', 'd800_iso1600_2', 'd800_iso6400_1'])
def test_noise_of_a_camera(name):
    """Correlated: the high frequencies hold a quarter of its sigma, all of a block most of it."""
    from noiseedit.imaging import read_image

    noisy, clean = (
        torch.from_numpy(read_image(CC15 / f'{name}_{end}.png')).permute(2, 0, 1)[None].float()
        / 255
        for end in ('real', 'mean')
    )
    truth = float((noisy - clean).var((2, 3)).mean().sqrt())
    white, broad = (float(estimate_sigma(noisy, correlated=flag)) for flag in (False, True))
    assert white < 0.4 * truth
    assert 0.6 * truth < broad < 1.1 * truth
    assert float(estimate_sigma(clean, correlated=True)) < 0.7 * broad

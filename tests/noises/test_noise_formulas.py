"""Moments, spectra and units of the noises against their formulas."""

import cv2
import numpy as np
import pytest
import torch
from noise_cases import VARIANTS, is_replay, registered, unclipped

from noiseedit.errors import ConfigError
from noiseedit.noises import build
from noiseedit.noises.correlated import blur, gaussian_taps, opencv_taps, power_law_gain

CASES = {**registered(), **VARIANTS}
REPEATS = 400


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grey_ramp() -> torch.Tensor:
    """Return (1, 3, 32, 32) with values from 0.1 to 0.9, other ones in each channel."""
    ramp = torch.linspace(0.1, 0.9, 3 * 32 * 32).reshape(32, 32, 3)
    return ramp.permute(2, 0, 1)[None].contiguous()


def within_four_errors(per_repeat: torch.Tensor) -> bool:
    error = per_repeat.std() / len(per_repeat) ** 0.5
    return bool(per_repeat.mean().abs() <= 4 * error + 1e-7)


@pytest.mark.parametrize('case', CASES)
def test_mean_and_variance_follow_the_formula(case):
    noise = unclipped(CASES[case])
    if is_replay(noise):
        pytest.skip('a replayed stream has no law')
    x = grey_ramp()
    params = noise.sample_params(1, generator(1))
    try:
        expected = noise.variance(x, params)
    except NotImplementedError:
        pytest.skip('no closed form')
    many = {name: value.expand(REPEATS, *value.shape[1:]) for name, value in params.items()}
    draws = noise.corrupt(x.expand(REPEATS, -1, -1, -1), many, generator(2)).double()
    deviation = draws - noise.mean(x, params)
    edge = torch.ones_like(x)
    edge[..., 2:-2, 2:-2] = 0
    for weights in (torch.ones_like(x), x, edge):
        assert within_four_errors((weights * deviation).mean((1, 2, 3)))
        assert within_four_errors((weights * (deviation**2 - expected)).mean((1, 2, 3)))


def test_moments_are_tested_for_almost_every_noise():
    without = []
    for case in registered():
        noise = unclipped(CASES[case])
        try:
            noise.variance(grey_ramp(), noise.sample_params(1, generator()))
        except NotImplementedError:
            without.append(case)
    assert without == [
        'ElasticTransform', 'Fog', 'Frost', 'GlassBlur', 'MotionBlur', 'NRGANCompatNoise', 'Snow',
        'Spatter', 'TransferredNoise',
    ]  # fmt: skip


@pytest.mark.parametrize(
    'name', ['gaussian', 'uniform', 'laplace', 'color_kernel', 'salt_pepper', 'poisson',
             'poisson_gaussian'],
)  # fmt: skip
def test_injection_catalogue_has_the_variance_it_is_asked_for(name):
    x = torch.rand(36, 3, 100, 100, generator=generator()) * 0.6 + 0.2
    error = 2 * (build({'preset': f'gni/{name}', 'level': 0.1})(x, generator=generator(1)) - x)
    # Hits of salt and pepper are few: 1 % is one standard error there.
    tolerance = 0.04 if name == 'salt_pepper' else 0.01
    assert error.square().mean() == pytest.approx(0.1, rel=tolerance)


def test_power_law_variance_and_slope():
    x = torch.zeros(100, 1, 128, 128)
    power, variance = torch.zeros(128, 65, dtype=torch.float64), []
    noise = build({'type': 'PowerLawNoise', 'variance': 0.16, 'unit': '[0,1]', 'alpha': 1.0})
    for seed in range(10):
        field = noise(x, generator=generator(seed))
        variance.append(field.square().mean())
        power += torch.fft.rfft2(field).abs().square().mean((0, 1))
    assert torch.stack(variance).mean() == pytest.approx(0.16, rel=0.03)
    rows, columns = torch.fft.fftfreq(128)[:, None], torch.fft.rfftfreq(128)[None, :]
    frequency = (rows**2 + columns**2).sqrt()
    inside = (frequency > 1 / 128) & (frequency < 0.5)
    slope, _ = np.polyfit(frequency[inside].log().numpy(), power[inside].log().numpy(), 1)
    assert slope == pytest.approx(-1, abs=0.05)


@pytest.mark.parametrize('shape', [(128, 128), (33, 50), (64, 31)])
@pytest.mark.parametrize('alpha', [0, 1, 2])
def test_power_law_filter_keeps_the_variance_and_removes_the_mean(shape, alpha):
    height, width = shape
    half = power_law_gain(height, width, alpha).double()
    mirrored = (width - 1) // 2
    total = half.square().sum() + half[:, 1 : 1 + mirrored].square().sum()
    assert total / (height * width) == pytest.approx(1, abs=1e-6)
    assert half[0, 0] == 0
    noise = build({'type': 'PowerLawNoise', 'sigma': 1, 'unit': '[0,1]', 'alpha': alpha})
    field = noise(torch.zeros(2, 3, height, width), generator=generator())
    torch.testing.assert_close(field.mean((2, 3)), torch.zeros(2, 3), rtol=0, atol=1e-6)


@pytest.mark.parametrize('size', [1, 3, 5, 7, 9, 11, 31])
def test_brown_kernel_is_opencvs(size):
    np.testing.assert_allclose(opencv_taps(size), cv2.getGaussianKernel(size, 0)[:, 0], atol=1e-7)


@pytest.mark.parametrize(('size', 'norm'), [(5, 0.2734375), (31, 0.05663354)])
def test_brown_kernel_norm(size, norm):
    assert sum(tap**2 for tap in opencv_taps(size)) == pytest.approx(norm, abs=1e-8)


def test_colour_kernel_norm():
    assert sum(tap**2 for tap in gaussian_taps(5, 1)) ** 2 == pytest.approx(0.082547, abs=1e-6)


def test_blur_is_opencvs_zero_padded_filter():
    plane = torch.randn(32, 40, generator=generator())
    taps = np.array(opencv_taps(5))
    expected = cv2.sepFilter2D(plane.numpy(), -1, taps, taps, borderType=cv2.BORDER_CONSTANT)
    padded = torch.nn.functional.pad(plane, (2, 2, 2, 2))[None, None]
    np.testing.assert_allclose(blur(padded, opencv_taps(5))[0, 0], expected, atol=1e-6)


def test_laplace_and_uniform_have_their_shape():
    x = torch.zeros(4, 1, 500, 500)
    for type_, kurtosis in (('LaplaceNoise', 6.0), ('UniformNoise', 1.8), ('GaussianNoise', 3.0)):
        draw = build({'type': type_, 'sigma': 1, 'unit': '[0,1]'})(x, generator=generator())
        assert (draw**4).mean() == pytest.approx(kurtosis, rel=0.03)
    bounded = build({'type': 'UniformNoise', 'amplitude': 50, 'unit': 255})(
        x, generator=generator()
    )
    assert bounded.abs().max() == pytest.approx(50 / 255, abs=1e-4)


def test_poisson_counts_are_whole_and_black_stays_black():
    noise = build({'type': 'PoissonNoise', 'peak': 30})
    x = torch.rand(2, 3, 16, 16, generator=generator())
    counts = 30 * noise(x, generator=generator())
    torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-4)
    for spec in ('nrgan/I', 'nrgan/J', 'nrgan/M', 'nrgan/N', 'gni/poisson'):
        black = torch.zeros(2, 3, 16, 16)
        assert torch.equal(build(spec)(black, generator=generator()), black)


def test_salt_and_pepper_hits_whole_pixels_half_and_half():
    x = torch.full((1, 3, 400, 400), 0.4)
    whole = build({'type': 'SaltPepperNoise', 'amount': 0.1})(x, generator=generator())
    hit = whole != x
    assert torch.equal(hit.any(1), hit.all(1))
    assert hit.float().mean() == pytest.approx(0.1, rel=0.03)
    assert (whole == 1).float().mean() == pytest.approx(0.05, rel=0.05)
    split = build({'type': 'SaltPepperNoise', 'amount': 0.1, 'per_channel': True})
    assert (split(x, generator=generator()) != x).any(1).float().mean() == pytest.approx(
        1 - 0.9**3, rel=0.02
    )


# Units.


@pytest.mark.parametrize(
    'spec',
    [
        {'sigma': 25, 'unit': 255},
        {'sigma': 25 / 255, 'unit': '[0,1]'},
        {'sigma': 50 / 255, 'unit': '[-1,1]'},
        {'variance': 625, 'unit': 255},
        {'variance': (50 / 255) ** 2, 'unit': '[-1,1]'},
    ],
    ids=str,
)
@pytest.mark.parametrize('type_', ['GaussianNoise', 'MultiplicativeNoise', 'BrownNoise'])
def test_units_agree(type_, spec, images):
    reference = build({'type': type_, 'sigma': 25, 'unit': 255})(images, generator=generator())
    noisy = build({'type': type_, **spec})(images, generator=generator())
    torch.testing.assert_close(noisy, reference, rtol=0, atol=1e-6)
    assert '25/255' in repr(build({'type': type_, **spec}))


def test_unit_round_trip_of_the_injection_grid():
    noise = build({'type': 'GaussianNoise', 'variance': 0.16, 'unit': '[-1,1]'})
    params = noise.sample_params(1, generator())
    assert float(2 * params['sigma']) ** 2 == pytest.approx((51 / 127.5) ** 2, abs=1e-7)
    assert repr(noise) == 'GaussianNoise(variance=0.16 in [-1,1] (std 0.4 = 51/255))'


def test_gaussian_noise_with_the_numbers_of_published_tables(images):
    """eps is that of NumPy's older generator, restarted for every image, whatever the seed."""
    spec = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255, 'numpy_seed': 0}
    noise = build(spec)
    n, channels, height, width = images.shape
    eps = np.random.RandomState(0).normal(0, 25 / 255, (height, width, channels))
    expected = images + torch.from_numpy(eps.transpose(2, 0, 1)).float()
    torch.testing.assert_close(noise.per_sample(images, range(n), seed=7), expected)
    assert torch.equal(noise.with_level(0).per_sample(images, range(n)), images)
    assert 'numpy_seed=0' in repr(noise)
    picture = np.full((height, width, channels), 128, np.uint8)
    found = noise.apply_uint8(picture, seed=3)
    assert np.array_equal(found, np.clip(np.rint(128 + 255 * eps), 0, 255).astype(np.uint8))
    with pytest.raises(ConfigError, match='numpy_seed=0 has no grey noise'):
        build({**spec, 'mono': True})

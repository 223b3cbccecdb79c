"""Levels: units are mandatory, ranges are drawn per image, bad ones are refused."""

import numpy as np
import pytest
import torch
from noise_cases import streams

from noiseedit.errors import ConfigError
from noiseedit.noises import build
from noiseedit.noises.level import Level, make_level, one_level


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'sigma': 25}, r"unit is missing; say unit=255, unit='\[0,1\]'"),
        ({'sigma': 25, 'unit': 256}, 'unit is 256, which is unknown'),
        ({'sigma': -1, 'unit': 255}, 'expected a finite number >= 0'),
        ({'sigma': float('nan'), 'unit': 255}, 'expected a finite number'),
        ({'sigma': (50, 5), 'unit': 255}, 'low <= high'),
        ({'sigma': (1, 2, 3), 'unit': 255}, r'expected a number, \(low, high\)'),
        ({'sigma': '25', 'unit': 255}, 'expected a number'),
        ({'sigma': {'low': 1, 'hig': 2}, 'unit': 255}, r'expected dict\(low=, high='),
        ({'sigma': {'low': 0, 'high': 2, 'log': True}, 'unit': 255}, 'starts above 0'),
        ({'sigma': 25, 'variance': 1, 'unit': 255}, 'expected exactly one of sigma, variance'),
        ({'unit': 255}, 'got none'),
    ],
)
def test_bad_levels_say_what_is_wrong(arguments, message):
    with pytest.raises(ConfigError, match=message):
        build({'type': 'GaussianNoise', **arguments})


@pytest.mark.parametrize(
    ('spec', 'message'),
    [
        ({'type': 'PoissonNoise', 'peak': 0}, 'peak: expected a number > 0'),
        ({'type': 'PoissonNoise', 'peak': 30, 'unit': 255}, 'peak has no unit'),
        ({'type': 'PoissonNoise', 'peak': 30, 'approx': 'normal'}, 'approx: expected None'),
        ({'type': 'PoissonNoise', 'variance': 1, 'unit': 255, 'image_mean': 2}, 'image_mean'),
        ({'type': 'PoissonGaussianNoise', 'peak': 30}, 'expected peak and sigma'),
        ({'type': 'PoissonGaussianNoise', 'peak': 30, 'sigma': 5}, 'unit is missing'),
        ({'type': 'SaltPepperNoise', 'amount': 1.5}, 'amount: expected a finite number >= 0 <= 1'),
        ({'type': 'SaltPepperNoise', 'amount': 0.1, 'moments': (0.5, 0.1)}, 'moments: expected'),
        ({'type': 'BrownNoise', 'sigma': 1, 'unit': 255, 'size': 4}, 'expected an odd size'),
        ({'type': 'BrownNoise', 'sigma': 1, 'unit': 255, 'border': 'x'}, "expected 'zero'"),
        ({'type': 'PatchGaussianNoise', 'sigma': 1, 'unit': 255, 'size': 0}, 'size: expected'),
        ({'type': 'Severity', 'noise': 'gni/gaussian', 'levels': [1], 'severity': 2}, r'0\.\.1'),
        ({'type': 'Mixture', 'noises': ['nrgan/A'], 'probs': [0.5]}, 'with sum 1'),
        ({'type': 'OneOf', 'noises': ['nrgan/A'], 'probs': [0.5, 0.5]}, 'one per noise'),
        ({'type': 'Sequential', 'noises': []}, 'expected at least one noise'),
    ],
    ids=str,
)
def test_bad_settings_say_what_is_wrong(spec, message):
    with pytest.raises(ConfigError, match=message):
        build(spec)


def test_conversion_to_the_unit_interval():
    assert make_level('sigma', 25, 255).bounds == pytest.approx((25 / 255, 25 / 255))
    assert make_level('sigma', (5, 50), 255).bounds == pytest.approx((5 / 255, 50 / 255))
    assert make_level('variance', 0.16, '[-1,1]').bounds[0] == pytest.approx(51 / 255)
    assert make_level('amount', 0.1).bounds == pytest.approx((0.1, 0.1))
    assert one_level('[0,1]', sigma=0.1, variance=None) == Level('sigma', 0.1, 0.1, '[0,1]')


@pytest.mark.parametrize(
    ('value', 'quantiles'),
    [((10, 50), (20, 30, 40)), ({'low': 1, 'high': 16, 'log': True}, (2, 4, 8))],
)
def test_ranges_are_uniform_or_log_uniform(value, quantiles):
    level = make_level('peak', value)
    drawn = level.sample(20000, torch.Generator().manual_seed(0)).flatten()
    np.testing.assert_allclose(np.quantile(drawn, (0.25, 0.5, 0.75)), quantiles, rtol=0.03)


def test_a_variance_range_is_uniform_in_the_variance():
    level = make_level('variance', (0, 0.16), '[-1,1]')
    sigma = level.sample(20000, torch.Generator().manual_seed(0))
    assert (2 * sigma).square().mean() == pytest.approx(0.08, rel=0.02)


def test_levels_share_one_draw(images):
    noise = build({'type': 'GaussianNoise', 'sigma': 10, 'unit': 255})
    small = noise(images, generator=streams(range(4))) - images
    large = noise.with_level(40)(images, generator=streams(range(4))) - images
    torch.testing.assert_close(large, 4 * small, rtol=1e-3, atol=1e-6)
    assert noise.level.low == 10, 'with_level changed the original'


def test_random_level_is_drawn_per_image():
    x = torch.zeros(400, 1, 32, 32)
    spec = {'type': 'RandomLevel', 'noise': 'gni/gaussian', 'low': 0, 'high': 0.16}
    noise = build(spec)
    variance = 4 * noise(x, generator=torch.Generator().manual_seed(0)).var((1, 2, 3))
    assert (variance.min() < 0.01, variance.max() > 0.15) == (True, True)
    assert variance.mean() == pytest.approx(0.08, rel=0.1)
    log = build({**spec, 'noise': 'nrgan/A', 'low': 1, 'high': 64, 'log': True})
    sigma = 255 * log.sample_params(2000, torch.Generator().manual_seed(0))['sigma']
    assert sigma.median() == pytest.approx(8, rel=0.1)
    assert noise.with_level(0.04).noise.level.is_fixed

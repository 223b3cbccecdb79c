import numpy as np
import pytest
import torch

from noiseedit.advice.moments import measure
from noiseedit.advice.noise import at_variance, known_white, model_noise, noise_named
from noiseedit.errors import DataError, UnknownNameError
from noiseedit.imaging import list_images
from noiseedit.noises import BaseNoise, build
from noiseedit.registry import NOISES
from noiseedit.theory import salt_pepper_moments, second_moments
from noiseedit.theory.patches import patch_statistics

TOP = 0.02  # weak enough that the test pictures stay away from the limits


@pytest.fixture(scope='module')
def files(photos):
    return list_images(photos)


@pytest.fixture(scope='module')
def luma(files):
    return patch_statistics(files)


KINDS = {
    'GaussianNoise': {'white'},
    'UniformNoise': {'white'},
    'LaplaceNoise': {'white'},
    'PatchGaussianNoise': {'white', 'signal-dependent'},  # rarer near the border, as pictures vary
    'RandomLevel': {'white'},
    'KernelNoise': {'coloured'},
    'BrownNoise': {'coloured'},
    'AdditiveBrownNoise': {'coloured'},
    'PowerLawNoise': {'coloured'},
    'PoissonNoise': {'signal-dependent'},
    'PoissonGaussianNoise': {'signal-dependent'},
    'MultiplicativeNoise': {'signal-dependent'},
    'HeteroscedasticNoise': {'signal-dependent'},
    'SaltPepperNoise': {'general'},
    'QuantizeNoise': {'general', 'coloured'},
    'JPEGNoise': {'general', 'coloured'},
}


@pytest.mark.parametrize('name', KINDS)
def test_the_kind_of_a_noise_is_measured(name, files, luma):
    noise = build({'type': name, **NOISES.get(name).example})
    assert measure(noise, files, luma).kind in KINDS[name]


@pytest.mark.parametrize('name', ['GaussianNoise', 'UniformNoise', 'LaplaceNoise'])
def test_white_noise_adds_its_variance_everywhere(name, files, luma):
    noise = build({'type': name, 'variance': TOP, 'unit': '[-1,1]'})
    found = measure(noise, files, luma)
    assert found.variance == pytest.approx(TOP, rel=0.01)
    np.testing.assert_allclose(found.energy[-32:], TOP, rtol=0.05)


def test_salt_and_pepper_is_measured_as_its_closed_form_says(files, luma):
    found = measure(build({'type': 'SaltPepperNoise', 'amount': 0.1}), files, luma)
    delta, covariance = salt_pepper_moments(luma.covariance, luma.mean, 0.1)
    expected = second_moments(luma.eigenvectors, delta, covariance)
    np.testing.assert_allclose((luma.eigenvalues + found.energy)[-32:], expected[-32:], rtol=0.06)
    assert found.kind == 'general'


def test_one_field_for_all_channels_is_coloured_in_colour_and_white_in_luma(files, luma):
    noise = build({'type': 'GaussianNoise', 'variance': TOP, 'unit': '[-1,1]', 'mono': True})
    assert measure(noise, files, luma).kind == 'white'
    assert measure(noise, files, patch_statistics(files, 4, 'rgb')).kind == 'coloured'


@pytest.mark.parametrize('channels', ['luma', 'rgb', 'each'])
@pytest.mark.parametrize('value_range', ['[-1,1]', '[0,1]', 'uint8'])
def test_every_range_and_choice_of_channels_gives_the_same_variance(files, channels, value_range):
    statistics = patch_statistics(files, 4, channels, value_range=value_range)
    noise = build({'type': 'GaussianNoise', 'sigma': 10, 'unit': 255})
    found = measure(noise, files[:2], statistics)
    width = {'[-1,1]': 2, '[0,1]': 1, 'uint8': 255}[value_range]
    assert found.variance == pytest.approx((10 / 255 * width) ** 2, rel=0.03)
    assert found.energy.mean() == pytest.approx(found.variance, rel=0.05)


def test_clipping_is_measured(files, luma):
    noise = {'type': 'GaussianNoise', 'variance': 0.16, 'unit': '[-1,1]'}
    free, clipped = (measure(build({**noise, 'clip': clip}), files, luma) for clip in (0, 1))
    assert clipped.variance < 0.95 * free.variance
    assert clipped.bias > free.bias


def test_measurements_are_the_same_with_the_same_seed(files, luma):
    noise = build('gni/salt_pepper')
    runs = [measure(noise, files[:3], luma, seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0].energy, runs[1].energy)
    assert not np.array_equal(runs[0].energy, runs[2].energy)


# Noise by name, at a level.


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('gaussian', 'gni/gaussian'),
        ('salt_pepper', 'gni/salt_pepper'),
        ('nrgan/G', 'nrgan/G'),
        ('PoissonNoise', 'PoissonNoise'),
    ],
)
def test_noise_by_name(name, text):
    assert noise_named(name).name == text


def test_an_unknown_noise_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r'gausian.*gaussian'):
        noise_named('gausian')


def test_only_plain_white_noise_is_known_to_be_white():
    assert known_white(build('gni/uniform'))
    assert not known_white(build('nrgan/A'))  # clipped
    assert not known_white(build('gni/color'))


@pytest.mark.parametrize(
    'name',
    ['gni/gaussian', 'nrgan/A', 'nrgan/B', 'gni/uniform', 'UniformNoise', 'SaltPepperNoise',
     'PoissonNoise', 'gni/poisson', 'gni/color', 'BrownNoise'],
)  # fmt: skip
def test_a_level_is_found_for_a_variance(name, files, luma):
    found = measure(at_variance(noise_named(name), TOP, '[-1,1]'), files, luma)
    assert TOP / 2.5 < found.variance < 2.5 * TOP


def test_noise_with_another_kind_of_level_is_left_as_it_is():
    assert at_variance(build('nrgan/F'), TOP, '[-1,1]') is None
    assert at_variance(noise_named('JPEGNoise'), TOP, '[-1,1]') is None


# All levels.


def test_levels_between_measured_ones_are_joined(files, luma):
    levels = [0.01, 0.02]
    model = model_noise(build('gni/color'), levels, files, luma)
    assert model.kind == 'coloured'
    half = model.energy(0.01, 64), model.energy(0.02, 64)
    np.testing.assert_allclose(model.energy(0.015, 64), (half[0] + half[1]) / 2, rtol=1e-2)
    np.testing.assert_allclose(model.energy(0.005, 64), half[0] / 2, rtol=1e-2)
    np.testing.assert_allclose(model.energy(0.04, 64)[-32:], 2 * half[1][-32:], rtol=1e-2)
    assert not model.energy(0.0, 64).any()


def test_white_noise_is_not_measured(luma):
    model = model_noise(build('gni/laplace'), [0.1], [], luma)
    assert model.kind == 'white'
    assert model.strongest is None
    np.testing.assert_array_equal(model.energy(0.1, 3), 0.1)


def test_levels_are_raised_until_they_reach_the_variance(files, luma):
    model = model_noise(noise_named('MultiplicativeNoise'), [TOP / 2, TOP], files, luma)
    assert model.variances[-1] == pytest.approx(TOP, rel=0.1)


def test_severities_are_all_measured(files, luma):
    model = model_noise(build('imagenet_c/gaussian_noise'), [0.01], files[:2], luma)
    assert len(model.variances) == 5
    assert np.all(np.diff(model.variances) > 0)


def test_a_plug_in_noise_gets_an_answer(files, luma):
    class Shift(BaseNoise):
        def apply(self, x, params, generator):
            return x + 0.05

    found = model_noise(Shift(), [0.01], files, luma)
    assert found.kind == 'general'
    assert found.variances == pytest.approx([0.01], rel=1e-4)


def test_noise_that_does_nothing_is_an_error(files, luma):
    class Nothing(BaseNoise):
        def apply(self, x, params, generator):
            return torch.clone(x)

    with pytest.raises(DataError, match=r'Nothing.*change pixels'):
        measure(Nothing(), files[:1], luma)

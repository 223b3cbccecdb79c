"""Composed noises: they act, keep samples apart, and cost what they cover."""

import pytest
import torch
from noise_cases import streams

from noiseedit.errors import ConfigError
from noiseedit.noises import BaseNoise, Mixture, OneOf, Patch, Sequential, build
from noiseedit.noises.compose import member_params

GAUSS = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}
SALT = {'type': 'SaltPepperNoise', 'amount': 0.5}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_sequential_adds_up(images):
    both = Sequential([GAUSS, {**GAUSS, 'sigma': 50}])(images, generator=generator()) - images
    assert both.std() == pytest.approx((25**2 + 50**2) ** 0.5 / 255, rel=0.03)


def test_sequential_respects_the_clip_of_its_members(images):
    strong = {**GAUSS, 'sigma': 200}
    inner = Sequential([{**strong, 'clip': True}, {**GAUSS, 'sigma': 1e-3}])
    assert inner(images, generator=generator()).max() < 1.001
    assert Sequential([strong])(images, generator=generator()).max() > 1.2


def test_one_of_uses_each_noise_as_often_as_asked():
    x = torch.full((2000, 1, 8, 8), 0.4)
    noisy = OneOf([GAUSS, SALT], [0.7, 0.3])(x, generator=generator())
    is_salt = ((noisy == 0) | (noisy == 1) | (noisy == 0.4)).all(-1).all(-1).flatten()
    assert is_salt.float().mean() == pytest.approx(0.3, abs=0.04)


def test_one_of_keeps_samples_apart_whatever_the_others_draw():
    several = {'type': 'Sequential', 'noises': [GAUSS, {'type': 'PoissonNoise', 'peak': 30}, SALT]}
    noise = Sequential([OneOf([GAUSS, several]), GAUSS])
    x = torch.rand(8, 3, 16, 16, generator=generator())
    batch = noise.per_sample(x, range(8))
    for key in range(8):
        assert torch.equal(noise.per_sample(x[key : key + 1], [key])[0], batch[key])


def test_mixture_takes_whole_pixels_with_the_given_shares():
    x = torch.full((4, 3, 100, 100), 0.4)
    plus = {'type': 'GaussianNoise', 'sigma': 0, 'unit': 255}
    noisy = Mixture([plus, {'type': 'SaltPepperNoise', 'amount': 1}], [0.8, 0.2])(
        x, generator=generator()
    )
    hit = noisy != x
    assert torch.equal(hit.any(1), hit.all(1))
    assert hit.float().mean() == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize('size', [12, (6, 20)])
def test_patch_changes_one_rectangle_only(size):
    x = torch.full((300, 2, 24, 31), 0.5)
    noise = Patch(GAUSS, size)
    params = noise.sample_params(len(x), generator())
    noisy = noise.corrupt(x, params, generator(1))
    assert torch.equal((noisy != x).all(1), noise.mask(x, params)[:, 0])
    low, high = (size, size) if isinstance(size, int) else size
    corner, sides = noise.boxes(x, params)
    assert (int(sides.min()), int(sides.max())) == (low, high)
    assert (corner >= 0).all()
    assert (corner + sides <= torch.tensor([31, 24])).all()
    touching = (corner + sides == torch.tensor([31, 24])).any(0)
    assert touching.all(), 'the last positions are never drawn'


class Counting(BaseNoise):
    """Counts the values it is asked to change."""

    def apply(self, x, params, generator):
        self.values = getattr(self, 'values', 0) + x.numel()
        return x + 1


@pytest.mark.parametrize(('size', 'expected'), [(8, 4 * 3 * 64), ((8, 8), 4 * 3 * 64)])
def test_patch_costs_what_it_covers(size, expected):
    inner = Counting()
    Patch(inner, size)(torch.zeros(4, 3, 64, 64), generator=generator())
    assert inner.values == expected


def test_patch_must_fit(images):
    with pytest.raises(ConfigError, match='up to 33 pixels does not fit into an image of 32x32'):
        Patch(GAUSS, 33)(images, generator=generator())


def test_patch_takes_any_noise_and_any_level(images):
    for spec in ('nrgan/G', 'gni/color', 'nrgan/F', {'type': 'OneOf', 'noises': [GAUSS, SALT]}):
        for size in (10, (8, 12)):
            noisy = Patch(spec, size).per_sample(images, range(4))
            assert 0 < (noisy != images).any(1).float().mean() <= 144 / 1024
    assert torch.equal(Patch(GAUSS, 8).with_level(0)(images, generator=generator()), images)


def test_names_are_stable_and_hold_no_level():
    assert Sequential([GAUSS, 'nrgan/A']).name == 'Sequential(GaussianNoise,nrgan/A)'
    assert Patch(SALT, 8).name == 'Patch(SaltPepperNoise)'
    assert build({'type': 'PatchGaussianNoise', 'sigma': 1, 'unit': 255, 'size': 8}).name == (
        'PatchGaussianNoise'
    )
    assert build({**GAUSS, 'name': 'awgn'}).name == 'awgn'


def test_gradient_of_a_composition_is_its_weakest():
    poisson = {'type': 'PoissonNoise', 'peak': 30}
    assert Sequential([GAUSS, GAUSS]).gradient == 'path'
    assert Sequential([GAUSS, poisson]).gradient == 'ste'
    assert OneOf([GAUSS, poisson, 'nrgan/A:compat']).gradient == 'none'
    assert Patch(poisson, 4).gradient == 'ste'


def test_severity_maps_to_levels_and_zero_is_clean(images):
    noise = build('imagenet_c/gaussian_noise')
    assert noise.with_level(3).noise.level.low == 0.18
    assert noise.with_level(3).with_level(1).noise.level.low == 0.08
    assert torch.equal(noise.with_level(0)(images, generator=streams(range(4))), images)
    assert not torch.equal(
        noise.with_level(0).with_level(2)(images, generator=streams(range(4))), images
    )
    with pytest.raises(ConfigError, match=r'expected a severity in 0\.\.5, got 6'):
        noise.with_level(6)


def test_a_composition_without_a_level_says_so():
    with pytest.raises(ConfigError, match='has no level to change'):
        Sequential([GAUSS, SALT]).with_level(3)


def test_member_parameters_keep_their_names():
    noise = Sequential([Sequential([GAUSS, GAUSS]), SALT])
    params = noise.sample_params(2, generator())
    assert set(params) == {'0.0.sigma', '0.1.sigma', '1.amount'}
    assert set(member_params(params, 0)) == {'0.sigma', '1.sigma'}

"""What every noise promises, checked on all of them."""

import random

import numpy as np
import pytest
import torch
from noise_cases import CASES, is_fixed, is_replay, streams, unclipped

from noiseedit.errors import ConfigError
from noiseedit.noises import AdditiveNoise, build
from noiseedit.noises.random import SampleStreams

SEEDS = (11, 22, 33, 44)


def test_every_noise_changes_the_image_and_leaves_its_input_alone(noise, images):
    before = images.clone()
    noisy = noise(images, generator=streams(SEEDS))
    assert noisy.shape == images.shape
    assert noisy.dtype == torch.float32
    assert torch.isfinite(noisy).all()
    assert (noisy - images).std() > 1e-3
    assert torch.equal(images, before)


def test_no_global_generator_is_touched(noise, images):
    before = (random.getstate(), str(np.random.get_state()), torch.get_rng_state())
    noise(images, generator=streams(SEEDS))
    if not is_replay(noise):
        noise(images, generator=torch.Generator().manual_seed(0))
    assert random.getstate() == before[0]
    assert str(np.random.get_state()) == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_the_seed_decides_and_nothing_is_remembered(noise, images):
    text = repr(noise)
    first = noise(images, generator=streams(SEEDS))
    other = noise(images, generator=streams([seed + 1 for seed in SEEDS]))
    again = noise(images, generator=streams(SEEDS))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == is_fixed(noise)
    assert repr(noise) == text


def test_per_sample_does_not_depend_on_batch_or_order(noise, images):
    keys = list(range(len(images)))
    batch = noise.per_sample(images, keys, seed=5)
    single = [noise.per_sample(images[key : key + 1], [key], seed=5) for key in keys]
    reverse = noise.per_sample(images.flip(0), keys[::-1], seed=5).flip(0)
    assert torch.equal(batch, torch.cat(single))
    assert torch.equal(batch, reverse)


def test_memory_layout_does_not_matter(noise, images):
    channels_last = images.contiguous(memory_format=torch.channels_last)
    plain = noise(images, generator=streams(SEEDS))
    assert torch.equal(noise(channels_last, generator=streams(SEEDS)), plain)


def test_grey_images_work(noise, images):
    assert noise(images[:, :1], generator=streams(SEEDS)).shape == (4, 1, 32, 32)


def test_clip_keeps_the_range(noise, images):
    noise.clip = True
    noisy = noise(images, generator=streams(SEEDS))
    assert noisy.min() >= 0
    assert noisy.max() <= 1


def test_the_name_holds_no_level(noise):
    if noise.level is None:
        pytest.skip('this noise has no level')
    level = 1 if type(noise).__name__ == 'Severity' else noise.level.high
    assert noise.with_level(level).name == noise.name


@pytest.mark.parametrize('case', CASES)
def test_the_declared_gradient_holds(case, images):
    noise = unclipped(CASES[case])
    x = images.double().requires_grad_()
    weights = torch.rand(x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def score(image):
        return (weights * noise(image, generator=streams(SEEDS))).sum()

    value = score(x)
    if noise.gradient == 'none':
        assert not value.requires_grad
        return
    (gradient,) = torch.autograd.grad(value, x)
    if noise.gradient == 'ste':
        torch.testing.assert_close(gradient, weights)
        return
    seed = torch.Generator().manual_seed(2)
    direction = torch.rand(x.shape, generator=seed, dtype=torch.float64)
    step = 1e-7 * direction
    with torch.no_grad():
        slope = (score(x + step) - score(x - step)) / 2e-7
    torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    'case', [case for case in CASES if isinstance(unclipped(CASES[case]), AdditiveNoise)]
)
def test_level_zero_is_the_identity_of_additive_noises(case, images):
    silent = build(CASES[case]).with_level(0)
    assert torch.equal(silent(images, generator=streams(SEEDS)), images)


@pytest.mark.parametrize('case', [case for case in CASES if case.startswith('gni/')])
def test_variance_zero_is_the_identity_in_the_injection_catalogue(case, images):
    silent = build({'preset': case, 'level': 0})
    assert torch.equal(silent(images, generator=streams(SEEDS)), images)


@pytest.mark.parametrize('gradient', ['ste', 'none'])
def test_less_gradient_can_be_asked_for(gradient, images):
    spec = {'type': 'MultiplicativeNoise', 'sigma': 25, 'unit': 255}
    x = images.clone().requires_grad_()
    full, less = (
        build(spec)(x, generator=streams(SEEDS)) for spec in (spec, {**spec, 'gradient': gradient})
    )
    assert torch.equal(full, less)
    assert less.requires_grad == (gradient == 'ste')
    if gradient == 'ste':
        assert torch.equal(torch.autograd.grad(less.sum(), x)[0], torch.ones_like(x))


def test_more_gradient_than_the_class_has_is_refused():
    with pytest.raises(ConfigError, match=r"expected one of \('ste', 'none'\), got 'path'"):
        build({'type': 'PoissonNoise', 'peak': 30, 'gradient': 'path'})


@pytest.mark.parametrize('options', [{'clip': True}, {'quantize': True}])
def test_post_processing_is_exact_and_straight_through(options, images):
    noise = build({'type': 'GaussianNoise', 'sigma': 80, 'unit': 255, **options})
    x = images.clone().requires_grad_()
    noisy = noise(x, generator=streams(SEEDS))
    assert torch.equal(noisy, noise(images, generator=streams(SEEDS)))
    assert torch.equal(torch.autograd.grad(noisy.sum(), x)[0], torch.ones_like(x))
    if noise.quantize:
        steps = noisy.detach() * 255
        torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-4)


def test_missing_generator_and_wrong_shapes_are_refused(images):
    noise = build({'type': 'GaussianNoise', 'sigma': 25, 'unit': 255})
    with pytest.raises(ValueError, match='generator is missing'):
        noise(images)
    with pytest.raises(ValueError, match=r'expected \(N, C, H, W\) float'):
        noise(images[0], generator=torch.Generator())
    with pytest.raises(ValueError, match='got 4'):
        noise(images, generator=SampleStreams([1, 2]))


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_other_float_types_work(noise, dtype, images):
    noisy = noise(images.to(dtype), generator=streams(SEEDS))
    assert torch.isfinite(noisy).all()
    assert (noisy.float() - images).std() > 1e-3

"""Batched additive noise works in place unnoticed; seeds of a batch are hashed alike."""

import pytest
import torch

from noiseedit.noises import SampleStreams, build
from noiseedit.noises.random import mix, mix_all, normal

SPEC = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}
SEEDS = (1, 2, 3)


def images(**options) -> torch.Tensor:
    return torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0), **options)


@pytest.mark.parametrize('mono', [False, True])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_noise_is_x_plus_sigma_eps_and_x_stays(mono, dtype):
    x = images().to(dtype)
    before = x.clone()
    noisy = build({**SPEC, 'mono': mono})(x, generator=SampleStreams(SEEDS))
    eps = normal((3, 1 if mono else 3, 8, 8), SampleStreams(SEEDS))
    torch.testing.assert_close(noisy, x + 25 / 255 * eps.to(dtype), atol=1e-6, rtol=0)
    assert torch.equal(x, before)


def test_gradients_reach_image_and_sigma():
    x = images().requires_grad_()
    sigma = torch.full((3, 1, 1, 1), 0.1, requires_grad=True)
    noise = build(SPEC)
    eps = normal(x.shape, SampleStreams(SEEDS))
    for params in ({'sigma': sigma.detach()}, {'sigma': sigma}):
        y = noise.apply(x, params, SampleStreams(SEEDS))
        (gradient,) = torch.autograd.grad((y * y).sum(), x, retain_graph=True)
        torch.testing.assert_close(gradient, 2 * y.detach())
    (gradient,) = torch.autograd.grad((y * y).sum(), sigma)
    torch.testing.assert_close(gradient, (2 * y.detach() * eps).sum((1, 2, 3), keepdim=True))


def test_seeds_are_hashed_alike_one_by_one_and_together():
    seeds = [0, 1, 2**31, 2**63 - 1, 2**64 - 1]
    for draw in (0, 1, 1000):
        assert mix_all(seeds, draw) == [mix(seed, draw) for seed in seeds]
    assert mix_all([], 0) == []
    assert len({mix(seed, 0) for seed in range(1000)}) == 1000


def test_streams_of_a_batch_are_those_of_its_samples():
    together = normal((3, 5), SampleStreams(SEEDS))
    alone = torch.cat([normal((1, 5), SampleStreams([seed])) for seed in SEEDS])
    assert torch.equal(together, alone)

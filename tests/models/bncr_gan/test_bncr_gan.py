"""BNCR-GAN: kernels, qualities, masks and penalties against direct computation; training."""

import copy

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from scipy.ndimage import correlate

from noiseedit.config import load_config
from noiseedit.errors import ConfigError
from noiseedit.models.bncr_gan import DegradationChain, LearnedBlur, LearnedCompression
from noiseedit.models.nr_gan import LearnedNoise
from noiseedit.noises import build
from noiseedit.registry import GENERATORS, MODELS
from noiseedit.seeding import generator_for

GENERATOR = {'type': 'NRGANGenerator', 'latent_channels': 8, 'channels': 8, 'image_size': 16}


def network(count, **changes):
    spec = {'type': 'VectorGenerator', 'latent_channels': 8, 'channels': 8}
    return {**spec, 'out_features': count, **changes}


def blur(**changes):
    torch.manual_seed(0)
    return LearnedBlur(**{'network': network(26), 'size': 5, **changes})


def compression(**changes):
    torch.manual_seed(0)
    return LearnedCompression(**{'network': network(2), **changes})


def images(n=4, size=16):
    return 2 * torch.rand(n, 3, size, size, generator=generator_for(2)) - 1


def latents(n=4):
    return torch.randn(n, 8, generator=generator_for(3))


def drawn_kernel(kernel, mask):
    """Return what a network gives for a kernel (K, K) and a mask."""
    values = torch.log(torch.as_tensor(kernel).float().clamp(min=1e-30)).flatten()
    return torch.cat([values, torch.logit(torch.tensor([mask]))])[None]


def test_the_mask_bypasses_the_blur():
    x, uniform = images(), torch.full((5, 5), 1 / 25)
    off = blur().degrade(x, drawn_kernel(uniform, 1e-12).expand(4, -1))
    torch.testing.assert_close(off, x)
    kernels = blur().kernels(drawn_kernel(uniform, 0.25))
    assert float(kernels[0, 2, 2]) == pytest.approx(0.75 + 0.25 / 25)
    assert float(kernels[0, 0, 0]) == pytest.approx(0.25 / 25)


def test_a_kernel_that_is_a_point_is_the_identity():
    x, point = images(), torch.zeros(5, 5)
    point[2, 2] = 1
    y = blur().degrade(x, drawn_kernel(point, 0.999).expand(4, -1))
    torch.testing.assert_close(y, x)


def test_every_image_has_its_own_kernel_of_sum_one():
    module, x = blur(), images()
    drawn = module.network(latents()) * 10
    kernels = module.kernels(drawn)
    assert (kernels >= 0).all()
    torch.testing.assert_close(kernels.sum((1, 2)), torch.ones(4))
    ours = module.degrade(x, drawn).detach().numpy()
    for image, kernel, result in zip(x.numpy(), kernels.detach().numpy(), ours, strict=True):
        expected = [correlate(channel, kernel, mode='nearest') for channel in image]
        np.testing.assert_allclose(result, np.stack(expected), atol=1e-5)


def test_the_penalty_of_blur_written_out():
    module, x = blur(weight=3.0, mu=0.7), images()
    drawn = module.network(latents()) * 5
    kernels = module.kernels(drawn).detach()
    entropy = -(kernels * kernels.log()).sum((1, 2))
    change = (x - module.degrade(x, drawn).detach()).square().mean((1, 2, 3))
    expected = 3 * (torch.exp(-0.7 * entropy) * change).mean()
    torch.testing.assert_close(module.penalties(x, drawn)['blur'].detach(), expected)


def test_quality_and_mask_of_compression():
    x, module = images(), compression(quality=(10, 90))
    drawn = torch.tensor([[0.0, 40.0]]).expand(4, -1)  # q = 50, m = 1
    jpeg = build({'type': 'DifferentiableJPEG', 'quality': 50})
    expected = 2 * jpeg(x / 2 + 0.5, generator=generator_for(0)) - 1
    torch.testing.assert_close(module.degrade(x, drawn), expected)
    off = module.degrade(x, torch.tensor([[0.0, -40.0]]).expand(4, -1))
    torch.testing.assert_close(off, x)
    half = module.degrade(x, torch.tensor([[0.0, 0.0]]).expand(4, -1))
    torch.testing.assert_close(half, (x + expected) / 2)
    ends = module.quality(torch.tensor([[-50.0, 0.0], [50.0, 0.0]])).flatten()
    assert ends.tolist() == [10, 90]


def test_the_penalty_of_compression_written_out():
    module, x = compression(weight=2.0, mu=1.5), images()
    drawn = torch.tensor([[0.0, -40.0], [1.0, 3.0], [-1.0, 0.0], [2.0, 1.0]])
    quality = 1 + 99 / (1 + torch.exp(-drawn[:, 0]))
    jpeg = module.compressed(x, quality.view(-1, 1, 1, 1))
    change = (x - jpeg).square().mean((1, 2, 3))
    expected = 2 * (torch.exp(-1.5 * (100 - quality) / 100) * change).mean()
    torch.testing.assert_close(module.penalties(x, drawn)['compression'], expected)


@pytest.mark.parametrize('make', [blur, compression])
def test_gradients_reach_the_parameters_and_the_image(make):
    module, x = make(), images().requires_grad_()
    made = module(x, latents(), generator_for(5))
    made.image.square().sum().backward()
    assert float(x.grad.abs().sum()) > 0
    last = list(module.network.parameters())[-1]
    assert (last.grad.abs() > 0).all()


@pytest.mark.parametrize('make', [blur, compression])
def test_the_penalty_does_not_reward_losing_more(make):
    """Its gradient is that of the difference: the factor is a constant."""
    module, x = make(mu=50.0), images()
    drawn = module.network(latents()).detach().requires_grad_()
    (ours,) = torch.autograd.grad(module.penalties(x, drawn)[module.name], drawn)
    change, strength = module.difference(x, drawn)
    factor = torch.exp(-50.0 * strength).detach()
    loss = (factor * change.square().mean((1, 2, 3))).mean()
    (expected,) = torch.autograd.grad(loss, drawn)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize('make', [blur, compression])
def test_without_gradients_or_weight_there_is_no_penalty(make):
    with torch.no_grad():
        assert make()(images(), latents(), generator_for(0)).penalties == {}
    assert make(weight=0)(images(), latents(), generator_for(0)).penalties == {}


def chain():
    torch.manual_seed(0)
    noise = LearnedNoise(
        GENERATOR, {'type': 'AdditiveGaussianPrior'}, diversity={'type': 'DiversityLoss'}
    )
    return DegradationChain({'blur': blur(), 'noise': noise, 'compression': compression()})


def test_a_chain_is_its_blocks_one_after_another():
    module, x, z = chain(), images(), latents()
    made = module(x, z, generator_for(9))
    stream = generator_for(9)
    parts = dict(module.blocks.items())
    first = parts['blur'](x, z, stream)
    second = parts['noise'](first.image, z, stream)
    third = parts['compression'](second.image, z, stream, clean=x)
    torch.testing.assert_close(made.image, third.image)
    assert torch.equal(made.noise, second.noise)
    assert torch.equal(made.scale, second.scale)
    assert set(made.penalties) == {'blur', 'noise_diversity', 'compression'}
    torch.testing.assert_close(made.penalties['compression'], third.penalties['compression'])
    assert all(torch.isfinite(value) for value in made.penalties.values())


@pytest.mark.parametrize('recipe', ['bncrgan', 'brgan', 'crgan'])
def test_a_recipe_trains_two_iterations_with_small_nets(recipe):
    model = small_model(recipe)
    before = copy.deepcopy(model.state_dict())
    wrappers = OptimWrapperDict(
        discriminator=wrapped(model.discriminator),
        generator=wrapped(torch.nn.ModuleList([model.generator, model.degradation])),
    )
    data = {'inputs': {'real': torch.rand(4, 3, 16, 16, generator=generator_for(1))}}
    for iteration in range(2):
        model.data_preprocessor.seed_iteration(iteration)
        logs = model.train_step(data, wrappers)
    assert all(torch.isfinite(value) for value in logs.values())
    assert {name for name in ('blur', 'compression') if f'loss_g/{name}' in logs} == {
        'bncrgan': {'blur', 'compression'}, 'brgan': {'blur'}, 'crgan': {'compression'},
    }[recipe]  # fmt: skip
    state = model.state_dict()
    for part in ('generator.', 'degradation.', 'discriminator.'):
        changed = [n for n in state if n.startswith(part) and not torch.equal(state[n], before[n])]
        assert len(changed) >= 2


def small_model(recipe):
    torch.manual_seed(0)
    spec = load_config(f'bncr_gan/{recipe}_cifar10.py').model.to_dict()
    shrink(spec)
    return MODELS.build(spec)


def shrink(node):
    """Make all networks of a config small, for images of 16x16."""
    small = {'channels': 8, 'image_size': 16, 'latent_channels': 8}
    node.update({name: value for name, value in small.items() if name in node})
    for value in node.values():
        if isinstance(value, dict):
            shrink(value)


def wrapped(module):
    return OptimWrapper(torch.optim.Adam(module.parameters(), 1e-3))


def test_blur_is_learnt_from_blurred_images():
    """A kernel fitted to blurred images of the same content becomes the true one."""
    torch.manual_seed(0)
    x = torch.rand(8, 3, 24, 24)
    true = build({'type': 'KernelBlur', 'width': 0.8, 'size': 3})
    target = 2 * true(x, generator=generator_for(0)) - 1
    module = blur(size=3, network=network(10, layers=1), weight=0)
    optimiser = torch.optim.Adam(module.parameters(), 0.05)
    for step in range(250):
        made = module(2 * x - 1, torch.zeros(8, 8), generator_for(step))
        loss = (made.image - target)[..., 1:-1, 1:-1].square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 2e-3
    assert float(module.kernels(module.network(torch.zeros(1, 8)))[0, 1, 1]) < 0.5


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r'network.out_features: expected 26, got 25'):
        blur(network=network(25))
    with pytest.raises(ConfigError, match='expected an odd number >= 1, got 4'):
        blur(size=4)
    with pytest.raises(ConfigError, match='expected 1 <= low < high <= 100'):
        compression(quality=(0, 50))
    with pytest.raises(ConfigError, match='at least one degradation'):
        DegradationChain({})
    with pytest.raises(ValueError, match=r'expected latents \(N, 8\)'):
        GENERATORS.build(network(2))(torch.zeros(1, 3))

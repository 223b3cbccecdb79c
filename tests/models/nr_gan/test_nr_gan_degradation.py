"""Priors, constraints, simulated noise, view and diversity: formulas, laws, golden values."""

import numpy as np
import pytest
import torch
from nr_gan_small import LETTERS, TinyGenerator

from noiseedit.errors import ConfigError
from noiseedit.losses import DiversityLoss, R1Penalty
from noiseedit.losses.regularisers import diversity_ratio
from noiseedit.models.nr_gan.constraints import (
    NoiseChannelShuffle,
    NoiseColorInversion,
    NoiseRotation,
    rotate,
)
from noiseedit.models.nr_gan.degradation import LearnedNoise, NoDegradation, SimulatedNoise
from noiseedit.models.nr_gan.finish import Finish
from noiseedit.models.nr_gan.priors import (
    AdditiveGaussianPrior,
    MultiplicativeGaussianPrior,
    PoissonPrior,
)
from noiseedit.models.nr_gan.settings import is_discrete, law_of
from noiseedit.models.nr_gan.view import BlurView
from noiseedit.noises import build

PRIORS = {
    AdditiveGaussianPrior: lambda sigma, xt: sigma,
    MultiplicativeGaussianPrior: lambda sigma, xt: 2 * sigma * xt,
    PoissonPrior: lambda sigma, xt: 2 * sigma * xt**0.5,
}
CONSTRAINTS = (NoiseRotation, NoiseChannelShuffle, NoiseColorInversion)


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=stream(seed))


@pytest.mark.parametrize('prior', PRIORS)
def test_the_noise_of_a_prior_has_its_level_and_no_gradient_to_the_image(prior):
    image = torch.full((64, 3, 32, 32), 0.2, requires_grad=True)
    scale = torch.full_like(image, 0.15).requires_grad_()
    noise = prior()(scale, image, stream())
    expected = PRIORS[prior](0.15, 0.6)
    assert noise.std().item() == pytest.approx(expected, rel=0.01)
    assert abs(noise.mean().item()) < 0.01 * expected
    noise.square().mean().backward()
    assert image.grad is None
    assert scale.grad.abs().sum() > 0


@pytest.mark.parametrize('prior', PRIORS)
def test_the_noise_of_a_prior_is_white(prior):
    image = torch.zeros(64, 3, 16, 16)
    noise = prior()(torch.full_like(image, 0.2), image, stream())
    for pair in ((noise[..., 1:], noise[..., :-1]), (noise[:, 0], noise[:, 1])):
        assert abs(torch.corrcoef(torch.stack([part.flatten() for part in pair]))[0, 1]) < 0.02


def test_black_has_no_signal_dependent_noise():
    black = torch.full((2, 3, 8, 8), -1.0)
    for prior in (MultiplicativeGaussianPrior, PoissonPrior):
        assert not prior()(torch.ones_like(black), black, stream()).any()


def test_rotation_is_that_of_the_library_and_of_order_four():
    image = normal(4, 3, 6, 6)
    turned = rotate(image, torch.arange(4).view(4, 1, 1, 1))
    for turns in range(4):
        assert torch.equal(turned[turns], torch.rot90(image[turns], turns, (1, 2)))
    one = torch.ones(4, 1, 1, 1, dtype=torch.int64)
    again = image
    for _ in range(4):
        again = rotate(again, one)
    assert torch.equal(again, image)


def group_element(constraint, before, after):
    """Return which element of its group a constraint applied to one sample."""
    if constraint is NoiseRotation:
        return next(k for k in range(4) if torch.equal(after, torch.rot90(before, k, (1, 2))))
    if constraint is NoiseChannelShuffle:
        return tuple(next(c for c in range(3) if torch.equal(row, before[c])) for row in after)
    signs = [1 if torch.equal(a, b) else -1 for a, b in zip(after, before, strict=True)]
    assert torch.equal(after, before * torch.tensor(signs).view(3, 1, 1))
    return tuple(signs)


@pytest.mark.parametrize(('constraint', 'order'), list(zip(CONSTRAINTS, (4, 6, 8), strict=True)))
def test_a_constraint_draws_every_element_of_its_group_equally(constraint, order):
    count = 3000
    noise = normal(count, 3, 4, 4)
    after = constraint()(noise, stream(1))
    found = [group_element(constraint, *pair) for pair in zip(noise, after, strict=True)]
    counts = np.array([found.count(element) for element in set(found)])
    assert len(counts) == order
    assert np.abs(counts - count / order).max() < 5 * (count / order) ** 0.5


@pytest.mark.parametrize('constraint', CONSTRAINTS)
def test_a_constraint_keeps_size_values_and_gradient(constraint):
    noise = normal(16, 3, 8, 8).requires_grad_()
    after = constraint()(noise, stream())
    assert after.shape == noise.shape
    values = after.abs().flatten(1).sort().values
    assert torch.equal(values, noise.abs().flatten(1).sort().values)
    after.square().sum().backward()
    torch.testing.assert_close(noise.grad, 2 * noise.detach())


def test_rotation_refuses_oblong_images():
    with pytest.raises(ConfigError, match=r'square images, got \(8, 16\)'):
        NoiseRotation()(torch.zeros(1, 3, 8, 16), stream())


def learned(latent=8, **settings):
    torch.manual_seed(0)
    return LearnedNoise(TinyGenerator(latent, image_size=8), **settings)


DIVERSITY = {'type': 'DiversityLoss', 'weight': 0.02}


def test_implicit_latents_begin_with_that_of_the_image():
    latent = normal(5, 8)
    shared = learned(16, implicit=True).latent(latent, stream(3))
    assert shared.shape == (5, 16)
    assert torch.equal(shared[:, :8], latent)
    own = learned(16).latent(latent, stream(3))
    assert torch.equal(shared[:, 8:], own[:, 8:])
    assert not torch.equal(own[:, :8], latent)
    with pytest.raises(ConfigError, match='latent_channels > 8'):
        learned(8, implicit=True).latent(latent, stream())


def test_constraints_follow_the_prior_and_act_on_noise_alone():
    image, latent = normal(6, 3, 8, 8, seed=1) / 4, normal(6, 8)
    specs = [{'type': constraint.__name__} for constraint in CONSTRAINTS]
    module = learned(prior={'type': 'AdditiveGaussianPrior'}, constraints=specs)
    made = module(image, latent, stream(5))
    again = stream(5)
    scale = module.network(module.latent(latent, again))
    noise = AdditiveGaussianPrior()(scale, image, again)
    assert torch.equal(made.noise, noise)
    assert torch.equal(made.scale, scale)
    for constraint in CONSTRAINTS:
        noise = constraint()(noise, again)
    torch.testing.assert_close(made.image, image + noise)


def test_diversity_counts_where_gradients_are_on():
    image, latent = torch.zeros(6, 3, 8, 8), normal(6, 8)
    module = learned(diversity=DIVERSITY, constraints=[{'type': 'NoiseColorInversion'}])
    made = module(image, latent, stream(5))
    own = module.latent(latent, stream(5))
    expected = -0.02 * diversity_ratio(module.network(own), own)
    torch.testing.assert_close(made.penalties, {'diversity': expected})
    with torch.no_grad():
        assert module(image, latent, stream(5)).penalties == {}
    assert learned()(image, latent, stream(5)).penalties == {}


def test_the_diversity_term_has_its_published_value():
    draw = np.random.RandomState(9)
    noise, latent = draw.standard_normal((4, 3, 8, 8)), draw.standard_normal((4, 16))
    ratio = diversity_ratio(torch.from_numpy(noise), torch.from_numpy(latent)).item()
    assert -ratio == pytest.approx(-1.17921121, abs=1e-6)
    halved = diversity_ratio(torch.from_numpy(noise), torch.from_numpy(2 * latent)).item()
    assert halved == pytest.approx(ratio / 2, rel=1e-6)


def test_diversity_of_a_batch_of_exact_noise_and_of_one():
    noise, latent = 25 / 255 * 2 * normal(128, 3, 32, 32), normal(128, 128, seed=1)
    assert DiversityLoss()(noise, latent).item() == pytest.approx(-0.0039, abs=2e-4)
    with pytest.raises(ValueError, match='at least 2 samples'):
        DiversityLoss()(noise[:1], latent[:1])


def test_r1_of_a_linear_discriminator_is_ten_times_its_squared_norm():
    weight, image = normal(3 * 8 * 8), normal(4, 3, 8, 8).requires_grad_()
    penalty = R1Penalty(weight=20.0)(image.flatten(1) @ weight, image)
    assert penalty.item() == pytest.approx(10 * weight.square().sum().item(), rel=1e-5)


def test_the_blurred_view_has_its_published_values():
    image = torch.from_numpy(np.random.RandomState(10).uniform(size=(1, 3, 4, 4)))
    seen = BlurView(always=True)(image)[0]
    vertical, horizontal = (
        [0.510287, 0.066575, 0.36634, 0.564535],
        [0.390848, 0.361618, 0.509213, 0.532814],
    )
    np.testing.assert_allclose(seen[0, 0], vertical, atol=1e-6)
    np.testing.assert_allclose(seen[3, 0], horizontal, atol=1e-6)
    ones = BlurView(always=True)(torch.ones(1, 1, 4, 4))[0]
    assert ones[0, :, 1].tolist() == [0.75, 1, 1, 0.75]
    assert ones[1, 1].tolist() == [0.75, 1, 1, 0.75]


RELEASED_STD = {
    'A': 0.0980, 'G': 0.0965, 'H': 0.1699, 'L': 0.1097, 'M': 0.1293, 'P': 0.1622
}  # fmt: skip


def simulate(letter, exact=False, image=None, seed=0):
    image = torch.full((400, 3, 32, 32), 2 * 128 / 255 - 1) if image is None else image
    module = SimulatedNoise(data_noise=f'nrgan/{letter}', exact=exact)
    return module(image, torch.zeros(len(image), 1), stream(seed)).image


@pytest.mark.parametrize('exact', [False, True])
@pytest.mark.parametrize('letter', RELEASED_STD)
def test_simulated_noise_has_the_strength_of_the_data(letter, exact):
    noisy = simulate(letter, exact)
    assert noisy.std().item() / 2 == pytest.approx(RELEASED_STD[letter], rel=0.02)


@pytest.mark.parametrize('letter', LETTERS)
def test_the_gradient_passes_simulated_noise_as_through_the_identity(letter):
    image = (normal(2, 3, 32, 32) / 3).clamp(-1, 1).requires_grad_()
    noisy = simulate(letter, image=image)
    weight = normal(2, 3, 32, 32, seed=4)
    (gradient,) = torch.autograd.grad((noisy * weight).sum(), image)
    torch.testing.assert_close(gradient, weight)
    assert noisy.abs().max() > image.abs().max()  # unclipped: clamping is the model's


def test_exact_simulation_draws_counts_and_feels_the_strength():
    image = torch.rand(2, 3, 32, 32, generator=stream()).requires_grad_()
    counts = (simulate('M', exact=True, image=image) + 1) / 2 * 30
    torch.testing.assert_close(counts, counts.round(), atol=1e-4, rtol=0)
    smooth = (simulate('M', image=image) + 1) / 2 * 30
    assert (smooth - smooth.round()).abs().mean() > 0.2
    (gradient,) = torch.autograd.grad(simulate('I', exact=True, image=image).sum(), image)
    assert gradient.std() > 0.05


def test_a_replay_is_simulated_by_its_law():
    assert law_of('nrgan/L:compat').name == build('nrgan/L').name
    assert is_discrete(law_of('nrgan/O:compat'))
    assert not is_discrete(law_of({'type': 'PoissonNoise', 'peak': 30, 'approx': 'gauss'}))


def test_noise_without_gradient_is_refused():
    with pytest.raises(ConfigError, match='no gradient passes through it'):
        SimulatedNoise('nrgan/A:compat')  # replays the noise of a data set, image by image


def test_no_degradation_gives_the_images():
    image = normal(2, 3, 8, 8)
    made = NoDegradation()(image, normal(2, 4), stream())
    assert made.image is image
    assert made.noise is None


def test_finish_clamps_and_on_demand_dithers_and_scales():
    clean, noisy = torch.zeros(8, 3, 8, 8), 2 * normal(8, 3, 8, 8)
    assert torch.equal(Finish()(clean, noisy, stream()), noisy.clamp(-1, 1))
    assert torch.equal(Finish(clip=False)(clean, noisy, stream()), noisy)
    scaled = Finish(clip=False, scale_noise=True)(clean, noisy, stream())
    torch.testing.assert_close(scaled, noisy * 255 / 256)
    dither = Finish(clip=False, dither_fakes=True)(clean, noisy, stream()) - noisy
    assert dither.min() >= -1e-6
    assert 0.95 / 128 < dither.max() <= 1 / 128 + 1e-6
    black = Finish(dither_fakes=True)(clean, torch.full_like(clean, -1.0), stream())
    assert black.unique().numel() > 100

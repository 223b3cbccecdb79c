"""Seven models on seventeen data settings: they build, train, refuse what they cannot know."""

import math

import pytest
import torch
from nr_gan_small import LETTERS, VARIANTS, make_model, optimisers, step

from noiseedit.errors import ConfigError
from noiseedit.models.nr_gan.priors import MultiplicativeGaussianPrior, PoissonPrior
from noiseedit.noises import build

SETTINGS = (None, *LETTERS)
REFUSED = (None, *'ABCDEFGH')
DISCRETE = 'MNOP'


def weights(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def changed(network, before):
    return [
        not torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True)
    ]


@pytest.mark.parametrize('letter', SETTINGS)
@pytest.mark.parametrize('variant', VARIANTS)
def test_every_model_trains_on_every_noise(variant, letter):
    if variant == 'sdnrgan1' and letter in REFUSED:
        with pytest.raises(ConfigError, match='assumption A3'):
            make_model(variant, letter)
        return
    model = make_model(variant, letter)
    optim, networks = optimisers(model), (model.generator, model.discriminator, model.degradation)
    before = [weights(network) for network in networks]
    noise = build(f'nrgan/{letter}') if letter else torch.nn.Identity()
    for iteration in range(2):
        clean = torch.rand((4, 3, 32, 32), generator=torch.Generator().manual_seed(iteration))
        real = noise(clean, generator=torch.Generator().manual_seed(9)) if letter else clean
        logs = step(model, optim, iteration, real)
    assert all(math.isfinite(value) for value in logs.values())
    for network, old in zip(networks, before, strict=True):
        assert all(changed(network, old))


@pytest.mark.parametrize('letter', SETTINGS)
def test_the_discriminator_sees_the_blurred_image_for_poisson_noise_alone(letter):
    for variant in set(VARIANTS) - {'sdnrgan1'}:
        model = make_model(variant, letter)
        assert model.discriminator.in_channels == (6 if letter and letter in DISCRETE else 3)


@pytest.mark.parametrize('letter', 'IJKLMNOP')
@pytest.mark.parametrize('name', ['nrgan/{}', 'nrgan/{}:compat'])
def test_the_known_relation_follows_the_law_of_the_noise(letter, name):
    degradation = make_model('sdnrgan1', name.format(letter).removeprefix('nrgan/')).degradation
    expected = MultiplicativeGaussianPrior if letter in 'IJKL' else PoissonPrior
    assert isinstance(degradation.prior.prior, expected)


def test_what_each_variant_is_made_of():
    """The table of the seven models: input of G_n, prior, constraints, diversity."""
    turns, swaps, signs = 'NoiseRotation', 'NoiseChannelShuffle', 'NoiseColorInversion'
    table = {
        'sinrgan1': (8, False, 'AdditiveGaussianPrior', []),
        'sinrgan2': (8, False, 'NoneType', [turns, swaps, signs]),
        'sdnrgan1': (8, False, 'SignalPrior', []),
        'sdnrgan2': (16, True, 'AdditiveGaussianPrior', []),
        'sdnrgan3': (16, True, 'NoneType', [signs]),
    }
    for variant, (latent, implicit, prior, constraints) in table.items():
        made = make_model(variant, 'I').degradation
        assert made.network.latent_channels == latent  # of the shipped 128 and 256, a sixteenth
        assert made.implicit is implicit
        assert type(made.prior).__name__ == prior
        assert [type(constraint).__name__ for constraint in made.constraints] == constraints
        assert made.diversity.weight == 0.02


def test_the_refusal_names_noise_reason_and_ways_out():
    with pytest.raises(ConfigError) as error:
        make_model('sdnrgan1', 'G')
    text = str(error.value)
    for part in ('sigma=25', 'does not depend on the image', 'sinrgan2', 'prior.relation'):
        assert part in text
    with pytest.raises(ConfigError, match='the training data have no noise'):
        make_model('sdnrgan1')


def test_a_relation_can_be_named_where_no_noise_is_added():
    for relation, kind in (
        ('poisson', PoissonPrior),
        ('multiplicative', MultiplicativeGaussianPrior),
    ):
        degradation = {
            'type': 'LearnedNoise',
            'network': {'type': 'nr_gan_small.TinyGenerator', 'latent_channels': 8},
            'prior': {'type': 'SignalPrior', 'relation': relation, 'data_noise': None},
        }
        model = make_model('gan', degradation=degradation)
        assert isinstance(model.degradation.prior.prior, kind)
    degradation['prior']['relation'] = 'sqrt'
    with pytest.raises(ConfigError, match='expected multiplicative, poisson or None'):
        make_model('gan', degradation=degradation)


def test_simulated_noise_of_a_clean_set_is_none():
    image = torch.rand(2, 3, 32, 32)
    made = make_model('ambientgan').degradation(image, None, torch.Generator())
    assert made.image is image

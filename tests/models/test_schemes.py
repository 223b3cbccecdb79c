"""Training schemes: what reaches the network, what the losses count, and where they lead."""

import re
from pathlib import Path

import pytest
import torch
from small_models import GAUSSIAN, make_adversarial, make_batch, make_restoration, sgd
from torch import nn

from noiseedit.errors import ConfigError, UnknownNameError
from noiseedit.models.schemes import Noise2Void, blind_spots, pixels, replacements
from noiseedit.registry import SCHEMES

DOCS = Path(__file__).resolve().parents[2] / 'docs' / 'schemes.md'
SIZES = [(16, 16), (40, 40), (17, 23), (9, 5), (2, 3), (8, 2)]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def make_model(scheme, noise=GAUSSIAN, network=None, **changes):
    """Return a model of a scheme whose iteration has a seed, and its optimiser."""
    noise = {'train': noise} if noise else None
    model = make_restoration(
        scheme={'type': scheme, **changes},
        data_preprocessor={'noise': noise},
        losses={'pixel': {'type': 'MSELoss'}},
        **({} if network is None else {'generator': network}),
    )
    model.data_preprocessor.seed_iteration(1)
    return model


def prepared(model, batch):
    return model.prepare(model.data_preprocessor(batch, training=True)['inputs'])


class Affine(nn.Module):
    """One weight: ``w * x``."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        return self.weight * x


class Mix(nn.Module):
    """One weight: the pixel itself against the mean of its eight neighbours."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        padded = nn.functional.pad(x, (1, 1, 1, 1), mode='replicate')
        ring = (9 * nn.functional.avg_pool2d(padded, 3, stride=1) - x) / 8
        return self.weight * x + (1 - self.weight) * ring


# Noise2Noise.


def test_noise_of_source_and_target_is_independent_and_of_one_law():
    batch = make_batch(8, 64, 64, names=('target',))
    inputs = prepared(make_model('Noise2Noise'), batch)
    clean = batch['inputs']['target'] / 255
    source, target = inputs['source'] - clean, inputs['target'] - clean
    both = torch.stack([source.flatten(), target.flatten()])
    sigma, count = 25 / 255, both.shape[1]
    torch.testing.assert_close(both.std(1), torch.full((2,), sigma), rtol=0.01, atol=0)
    assert both.mean(1).abs().max() < 5 * sigma / count**0.5
    assert abs(torch.corrcoef(both)[0, 1]) < 5 / count**0.5


def test_the_second_draw_is_in_the_range_of_the_network():
    settings = {'value_range': '[-1,1]', 'noise': {'train': GAUSSIAN}}
    model = make_restoration(scheme={'type': 'Noise2Noise'}, data_preprocessor=settings)
    model.data_preprocessor.seed_iteration(1)
    batch = make_batch(8, 64, 64, names=('target',))
    noise = prepared(model, batch)['target'] - (batch['inputs']['target'] / 127.5 - 1)
    torch.testing.assert_close(noise.std(), torch.tensor(50 / 255), rtol=0.01, atol=0)


def test_noise2noise_draws_depend_on_the_seed_of_the_iteration_alone():
    batch, model = make_batch(names=('target',)), make_model('Noise2Noise')
    first = prepared(model, batch)['target']
    model.data_preprocessor.seed_iteration(2)
    assert not torch.equal(prepared(model, batch)['target'], first)
    model.data_preprocessor.seed_iteration(1)
    assert torch.equal(prepared(model, batch)['target'], first)


def test_noise2noise_has_the_gradient_of_clean_targets_on_average():
    batch = make_batch(4, 16, 16, names=('target',))
    supervised, blind = (
        make_model('Supervised', network=Affine()),
        make_model('Noise2Noise', network=Affine()),
    )
    gradients = []
    for seed in range(200):
        pair = []
        for model in (supervised, blind):
            model.data_preprocessor.seed_iteration(seed)
            loss = model.loss(prepared(model, batch))['pixel']
            pair.append(torch.autograd.grad(loss, model.generator.weight)[0])
        gradients.append(torch.stack(pair))
    difference = torch.stack(gradients)[:, 1] - torch.stack(gradients)[:, 0]
    error = difference.std() / len(difference) ** 0.5
    assert difference.std() > 0
    assert difference.mean().abs() < 4 * error


def fitted(model, batch, steps=50, lr=0.5):
    optimiser = sgd(model.generator, lr)
    for seed in range(steps):
        model.data_preprocessor.seed_iteration(seed)
        model.train_step(batch, optimiser)
    return float(model.generator.weight.detach())


def test_noise2noise_learns_the_denoiser_of_clean_targets():
    """The best factor is E[x^2] / (E[x^2] + sigma^2) = 0.5 here; without a second draw it is 1."""
    batch = make_batch(8, 32, 32, names=('target',))
    power = (batch['inputs']['target'] / 255).square().mean()
    noise = {'type': 'GaussianNoise', 'sigma': float(power.sqrt()), 'unit': '[0,1]'}
    weights = [
        fitted(make_model(scheme, noise, Affine()), batch)
        for scheme in ('Supervised', 'Noise2Noise')
    ]
    assert weights == pytest.approx([0.5, 0.5], abs=0.02)


@pytest.mark.parametrize(
    ('noise', 'names'),
    [
        (None, ('source', 'target')),
        ({'train': GAUSSIAN, 'target': 'target'}, ('target',)),
        ({'train': GAUSSIAN}, ('source',)),
    ],
)
def test_noise2noise_without_a_noise_to_draw_says_what_to_do(noise, names):
    model = make_restoration(scheme={'type': 'Noise2Noise'}, data_preprocessor={'noise': noise})
    model.data_preprocessor.seed_iteration(0)
    with pytest.raises(ConfigError, match='PairedFolder'):
        prepared(model, make_batch(names=names))


# Noise2Void.


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('cell', [2, 3, 8])
@pytest.mark.parametrize('radius', [1, 2])
def test_spots_are_one_per_cell_and_replacements_are_visible_neighbours(size, cell, radius):
    height, width = size
    spots = blind_spots(50, size, cell, generator())
    assert spots.shape == (50, max(1, height // cell) * max(1, width // cell))
    assert spots.min() >= 0
    assert spots.max() < height * width
    others = replacements(spots, size, radius, generator(1))
    rows = (others // width - spots // width).abs()
    columns = (others % width - spots % width).abs()
    assert max(rows.max(), columns.max()) <= radius
    for mine, theirs in zip(spots.tolist(), others.tolist(), strict=True):
        assert len(set(mine)) == len(mine)
        assert not set(mine) & set(theirs)


def test_every_pixel_is_hidden_equally_often_and_every_neighbour_chosen():
    spots = blind_spots(64_000, (16, 16), 8, generator())
    counts = torch.bincount(spots.flatten(), minlength=256).float()
    assert counts.mean() == 1000  # 4 of 256 pixels: 1 / 64
    assert (counts - 1000).abs().max() < 5 * 1000**0.5
    alone = torch.full((48_000, 1), 8 * 16 + 8)
    others = replacements(alone, (16, 16), 2, generator(1)) - alone
    steps, chosen = others.unique(return_counts=True)
    assert sorted(steps.tolist()) == sorted(
        16 * y + x for y in range(-2, 3) for x in range(-2, 3) if (y, x) != (0, 0)
    )
    assert (chosen.float() - 2000).abs().max() < 5 * 2000**0.5


@pytest.mark.parametrize('name', ['source', 'real'])
@pytest.mark.parametrize('channels_last', [False, True])
def test_hidden_values_reach_neither_network_nor_other_pixels(name, channels_last):
    """Change every hidden value: the network's input stays as it was, bit for bit."""
    noisy = torch.rand(3, 3, 20, 24, generator=generator())
    layout = torch.channels_last if channels_last else torch.contiguous_format
    noisy = noisy.to(memory_format=layout)
    model = make_model('Noise2Void', noise=None)
    inputs = model.prepare({name: noisy})
    assert torch.equal(inputs['target'], noisy)
    changed = (
        noisy.flatten(2)
        .scatter(2, inputs['spots'][:, None].expand(-1, 3, -1), value=100.0)
        .view(noisy.shape)
    )
    model.data_preprocessor.seed_iteration(1)
    again = model.prepare({name: changed})
    assert torch.equal(again['spots'], inputs['spots'])
    assert torch.equal(again['source'], inputs['source'])
    touched = (inputs['source'] != noisy).any(1).flatten(1)
    hidden = torch.zeros_like(touched).scatter(1, inputs['spots'], value=True)
    assert torch.equal(touched, hidden)


def test_channels_of_a_hidden_pixel_come_from_one_neighbour():
    noisy = torch.arange(400.0).view(1, 1, 20, 20).repeat(1, 3, 1, 1)
    inputs = make_model('Noise2Void', noise=None).prepare({'source': noisy})
    values = pixels(inputs['source'], inputs['spots'])
    assert torch.equal(values, values[:, :1].expand_as(values))


def test_loss_counts_hidden_pixels_alone():
    model = make_model('Noise2Void', noise=None, network=nn.Identity())
    inputs = model.prepare({'source': torch.rand(2, 3, 16, 16, generator=generator())})
    wrong = inputs['source'] - inputs['target']
    expected = wrong.square().sum() / (2 * 3 * inputs['spots'].shape[1])
    torch.testing.assert_close(model.loss(inputs)['pixel'], expected)
    visible = torch.ones(2, 256, dtype=torch.bool).scatter(1, inputs['spots'], value=False)
    visible = visible.view(2, 1, 16, 16)
    moved = {**inputs, 'source': inputs['source'] + visible}  # the prediction elsewhere
    assert torch.equal(model.loss(moved)['pixel'], model.loss(inputs)['pixel'])


def test_noise2void_compares_with_the_noisy_image_not_the_clean_one():
    model, batch = make_model('Noise2Void'), make_batch(2, 16, 16, names=('target',))
    noisy = model.data_preprocessor(batch, training=True)['inputs']['source']
    model.data_preprocessor.seed_iteration(1)
    assert torch.equal(prepared(model, batch)['target'], noisy)


def test_noise2void_learns_to_average_where_its_own_target_teaches_the_identity():
    """Constant images with noise: hidden pixels say nothing of themselves."""
    flat = torch.rand(16, 1, 1, 1, generator=generator()).expand(16, 3, 32, 32)
    noisy = flat + 0.1 * torch.randn(flat.shape, generator=generator(1))
    batch = {**make_batch(16, 32, 32), 'inputs': {'source': noisy, 'target': noisy}}
    copying = fitted(make_model('Supervised', None, Mix()), batch, lr=20)
    hiding = fitted(make_model('Noise2Void', None, Mix()), batch, lr=20)
    assert copying == pytest.approx(1, abs=0.01)
    assert hiding < 0.2


@pytest.mark.parametrize('settings', [{'cell': 1}, {'radius': 0}])
def test_noise2void_refuses_windows_without_neighbours(settings):
    with pytest.raises(ConfigError, match='cell >= 2 and radius >= 1'):
        Noise2Void(**settings)


@pytest.mark.parametrize(
    'inputs', [{}, {'target': torch.rand(1, 3, 8, 8)}, {'real': torch.rand(1, 3, 1, 9)}]
)
def test_noise2void_refuses_inputs_it_cannot_hide_pixels_of(inputs):
    with pytest.raises(ConfigError, match='noisy images'):
        make_model('Noise2Void', noise=None).prepare(inputs)


# All.


@pytest.mark.parametrize('scheme', ['Supervised', 'Noise2Noise', 'Noise2Void'])
def test_prediction_does_not_know_the_scheme(scheme):
    plain, other = make_restoration().eval(), make_model(scheme).eval()
    batch = make_batch()
    for one, two in zip(plain.test_step(batch), other.test_step(batch), strict=True):
        assert torch.equal(one.pred, two.pred)


@pytest.mark.parametrize('scheme', ['Supervised', 'Noise2Noise', 'Noise2Void'])
def test_inputs_are_not_changed_in_place(scheme):
    model = make_model(scheme)
    inputs = model.data_preprocessor(make_batch(names=('target',)), training=True)['inputs']
    before = {name: image.clone() for name, image in inputs.items()}
    model.prepare(inputs)
    assert inputs.keys() == before.keys()
    assert all(torch.equal(inputs[name], before[name]) for name in before)


def test_unknown_scheme_names_the_nearest():
    with pytest.raises(UnknownNameError, match='Noise2Void'):
        make_restoration(scheme={'type': 'Noise2Viod'})


def test_models_that_learn_by_no_scheme_say_so():
    with pytest.raises(ConfigError, match='AdversarialModel learns by no training scheme'):
        make_adversarial(scheme={'type': 'Noise2Void'})


def test_scheme_of_the_documentation_works(monkeypatch):
    monkeypatch.setattr(SCHEMES, '_module_dict', dict(SCHEMES.module_dict))
    blocks = re.findall(r'```python\n(.*?)```', DOCS.read_text(), re.DOTALL)
    exec(next(block for block in blocks if 'class SwappedShots' in block), {})
    model, batch = make_model('SwappedShots', noise=None), make_batch(32)
    shots = model.data_preprocessor(batch, training=True)['inputs']
    given = prepared(model, batch)
    swapped = (given['source'] == shots['target']).flatten(1).all(1)
    assert 0 < swapped.sum() < 32
    assert torch.equal(given['source'] + given['target'], shots['source'] + shots['target'])

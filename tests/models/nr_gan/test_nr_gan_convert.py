"""Released NR-GAN files to a checkpoint: names, settings, several files, what is refused."""

import runpy
import sys
from pathlib import Path

import pytest
import torch
from nr_gan_published import discriminator_shapes, filled, generator_shapes

from noiseedit.engine.weights import load_weights
from noiseedit.errors import CheckpointError
from noiseedit.models.convert import checkpoint, convert, join
from noiseedit.registry import DISCRIMINATORS, GENERATORS, MODELS

ROOT = Path(__file__).resolve().parents[3]
SMALL = {
    'netG': generator_shapes(latent=6, channels=4, side=2),
    'netGn': generator_shapes(latent=12, channels=4, side=2),
    'netD': discriminator_shapes(in_channels=6, channels=4),
}
NAMES = {'netG': 'generator', 'netGn': 'degradation.network', 'netD': 'discriminator'}
CONFIGS = {
    'netG': {
        'type': 'NRGANGenerator',
        'latent_channels': 6,
        'channels': 4,
        'image_size': 16,
        'out_channels': 3,
    },
    'netD': {'type': 'NRGANDiscriminator', 'in_channels': 6, 'channels': 4},
}
CONFIGS['netGn'] = {**CONFIGS['netG'], 'latent_channels': 12}


def released(*kinds):
    """Return files as they are saved: name -> weights."""
    return {
        f'{kind}_iter_5000.pth': filled(SMALL[kind], seed=seed, dtype=torch.float32)
        for seed, kind in enumerate(kinds)
    }


def with_prefix(kind):
    return {f'{kind}.{key}': t for key, t in filled(SMALL[kind], dtype=torch.float32).items()}


@pytest.mark.parametrize('kind', list(SMALL))
def test_a_file_alone_is_known_by_its_name(kind):
    found = convert('nr_gan', join('nr_gan', released(kind)))
    assert {name: n.config for name, n in found.networks().items()} == {NAMES[kind]: CONFIGS[kind]}


@pytest.mark.parametrize('kind', ['netG', 'netD'])
def test_a_file_of_any_name_is_known_by_its_keys(kind):
    (weights,) = released(kind).values()
    found = convert('nr_gan', join('nr_gan', {'weights.pth': weights}))
    assert list(found.networks()) == [NAMES[kind]]


def test_all_weights_arrive_and_are_the_same():
    files = released('netG', 'netGn', 'netD')
    made = checkpoint('nr_gan', convert('nr_gan', join('nr_gan', files)), 'files')
    theirs = [tensor for weights in files.values() for tensor in weights.values()]
    assert len(made['state_dict']) == len(theirs) == 66
    for ours, original in zip(made['state_dict'].values(), theirs, strict=True):
        assert torch.equal(ours, original)
    assert made['meta'] == {
        'method': 'nr_gan',
        'source': 'files',
        **{NAMES[kind]: CONFIGS[kind] for kind in SMALL},
    }


def test_three_files_fill_a_model():
    files = released('netG', 'netGn', 'netD')
    made = checkpoint('nr_gan', convert('nr_gan', join('nr_gan', files)), 'files')
    spec = {
        'type': 'NRGAN',
        'generator': made['meta']['generator'],
        'degradation': {'type': 'LearnedNoise', 'network': made['meta']['degradation.network']},
        'discriminator': made['meta']['discriminator'],
        'gan_loss': {'type': 'VanillaGANLoss'},
    }
    assert load_weights(MODELS.build(spec), made['state_dict'], strict=True) == ''


@pytest.mark.parametrize(
    ('shapes', 'config'),
    [
        (generator_shapes(), {'type': 'NRGANGenerator', 'latent_channels': 128, 'channels': 128}),
        (
            generator_shapes(256),
            {'type': 'NRGANGenerator', 'latent_channels': 256, 'image_size': 32},
        ),
        (discriminator_shapes(), {'type': 'NRGANDiscriminator', 'in_channels': 3}),
        (discriminator_shapes(6), {'type': 'NRGANDiscriminator', 'in_channels': 6}),
    ],
)
def test_published_sizes(shapes, config):
    found = convert('nr_gan', {key: torch.empty(shape) for key, shape in shapes.items()})
    ((_, settings),) = found.networks().values()
    assert settings == {**settings, **config}


@pytest.mark.parametrize('kind', list(SMALL))
def test_names_go_back_and_forth(kind):
    """A network of ours, its weights under the published names, is found again."""
    registry = DISCRIMINATORS if kind == 'netD' else GENERATORS
    network = registry.build(dict(CONFIGS[kind]))
    theirs = dict(zip(SMALL[kind], network.state_dict().values(), strict=True))
    found = convert('nr_gan', {f'{kind}.{key}': tensor for key, tensor in theirs.items()})
    ((weights, _),) = found.networks().values()
    assert list(weights) == list(network.state_dict())
    assert all(torch.equal(t, network.state_dict()[key]) for key, t in weights.items())


def changed(kind, key, value=None):
    weights = with_prefix(kind)
    weights.pop(f'{kind}.{key}', None)
    return weights if value is None else {**weights, f'{kind}.{key}': value}


@pytest.mark.parametrize(
    ('weights', 'message'),
    [
        ({}, 'NR-GAN: expected linear1.weight or linear5.weight .*got none'),
        ({'epoch': torch.zeros(1)}, 'got epoch'),
        ({**with_prefix('netG'), 'epoch': torch.zeros(1)}, 'linear5.weight .*got netG'),
        (changed('netG', 'linear1.weight'), 'netG: expected linear1.weight of 2 dim.*got none'),
        (
            changed('netGn', 'conv5.conv.weight', torch.zeros(3)),
            r'netGn: .*conv5.*got shape \(3,\)',
        ),
        (changed('netG', 'linear1.weight', torch.zeros(20, 6)), 'times a square number of rows'),
        (changed('netG', 'block3.conv1.conv.conv.bias'), r'do not fit .*block3\.conv1\.bias'),
        (changed('netD', 'block1.conv1.conv.weight'), 'netD: expected block1.conv1.weight'),
        (changed('netD', 'linear5.bias', torch.zeros(2)), 'do not fit .*size mismatch'),
        (changed('netD', 'block9.bias', torch.zeros(2)), r'do not fit .*Unexpected.*block9\.bias'),
        ({f'netD.{k}': t for k, t in filled(SMALL['netG']).items()}, 'netD: expected block1'),
    ],
)
def test_other_weights_are_refused(weights, message):
    with pytest.raises(CheckpointError, match=f'(?s){message}'):
        convert('nr_gan', weights)


@pytest.mark.parametrize(
    ('method', 'names', 'message'),
    [
        ('nr_gan', ('netG_iter_1.pth', 'netG_iter_2.pth'), 'at most one file .*netG_iter_2.pth'),
        ('nr_gan', ('netG.pth', 'last.pth'), 'so must its name begin.*got netG.pth, last.pth'),
        ('dncnn', ('a.pth', 'b.pth'), 'dncnn: expected one file, got a.pth, b.pth'),
    ],
)
def test_files_that_cannot_be_joined(method, names, message):
    with pytest.raises(CheckpointError, match=message):
        join(method, {name: {} for name in names})


def test_the_tool_makes_one_checkpoint_of_three_files(tmp_path, monkeypatch, capsys):
    files = released('netG', 'netGn', 'netD')
    for name, weights in files.items():
        torch.save(weights, tmp_path / name)
    out = tmp_path / 'nr_gan.pth'
    arguments = ['convert.py', 'nr_gan', *(str(tmp_path / name) for name in files), str(out)]
    monkeypatch.setattr(sys, 'argv', arguments)
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / 'tools' / 'convert.py'), run_name='__main__')
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert "degradation.network: dict(type='NRGANGenerator', latent_channels=12" in printed
    assert '66 tensors' in printed
    made = torch.load(out, weights_only=True)
    assert made['meta']['source'] == ', '.join(files)
    assert sum(key.startswith('discriminator.') for key in made['state_dict']) == 22

"""Converters of RIDNet, NAFNet and NoiseTransfer: settings recovered, outputs equal."""

import pytest
import torch

from noiseedit.errors import CheckpointError
from noiseedit.models.convert import checkpoint, convert, join, unwrapped
from noiseedit.models.noise_transfer import ContraE, VUNet
from noiseedit.networks import NAFNet, RIDNet


def image(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def rebuilt(found, kind):
    network = kind(**{k: v for k, v in found.generator.items() if k != 'type'}).eval()
    network.load_state_dict(found.state_dict, strict=True)
    return network


def without(key):
    return lambda weights: {name: tensor for name, tensor in weights.items() if name != key}


def refused(method, weights, message):
    with pytest.raises(CheckpointError, match=f'(?s){message}'):
        convert(method, weights)


# RIDNet.


def published_ridnet(network, value_range=255, mean=(0.4488, 0.4371, 0.404), style=''):
    """Return the weights with the frozen layers of the release."""
    unit, shift = torch.eye(3).view(3, 3, 1, 1), value_range * torch.tensor(mean)
    frozen = {
        f'sub_mean.{style}weight': unit, f'sub_mean.{style}bias': -shift,
        f'add_mean.{style}weight': unit, f'add_mean.{style}bias': shift,
    }  # fmt: skip
    return {**network.state_dict(), **frozen}


@pytest.mark.parametrize('prefix', ['', 'module.', 'model.'])
@pytest.mark.parametrize(('value_range', 'style'), [(255, ''), (1, 'shifter.')])
def test_ridnet_as_published(prefix, value_range, style):
    network = RIDNet(width=8, reduction=4)
    weights = published_ridnet(network, value_range, style=style)
    found = convert('ridnet', {prefix + key: tensor for key, tensor in weights.items()})
    assert found.generator == {
        'type': 'RIDNet', 'variant': 'ridnet', 'width': 8, 'reduction': 4, 'scale': value_range,
        'mean': [0.4488, 0.4371, 0.404],
    }  # fmt: skip
    assert torch.equal(rebuilt(found, RIDNet).tail.weight, network.tail.weight)


@pytest.mark.parametrize('method', ['ridnet', 'noise_transfer'])
def test_ridnet_of_noise_transfer(method):
    network, x = RIDNet('g').eval(), image(1, 3, 9, 8)
    found = convert(method, network.state_dict())
    assert found.generator == {
        'type': 'RIDNet', 'variant': 'g', 'width': 64, 'reduction': 16, 'scale': 1, 'mean': None,
    }  # fmt: skip
    with torch.no_grad():
        assert torch.equal(rebuilt(found, RIDNet)(x), network(x))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda w: {}, 'expected head.body.0.weight or head.weight, .*got none'),
        (without('b1.ca.c1.body.0.weight'), 'and b1.ca.c1.body.0.weight among the keys'),
        (without('b3.r1.body3.0.bias'), r'do not fit .*Missing key.*b3\.r1\.body3\.0\.bias'),
        (lambda w: {**w, 'extra': torch.zeros(1)}, 'do not fit .*Unexpected key.*extra'),
        (without('add_mean.weight'), 'expected the weight 1 and opposite shifts'),
        (lambda w: {**w, 'add_mean.bias': torch.zeros(3)}, 'opposite shifts of the colours'),
        (lambda w: {**w, 'sub_mean.weight': torch.zeros(3, 3, 1, 1)}, 'expected the weight 1'),
    ],
)
def test_other_weights_are_no_ridnet(change, message):
    refused('ridnet', change(published_ridnet(RIDNet(width=8, reduction=4))), message)


# NAFNet.


@pytest.mark.parametrize('key', ['params', 'params_ema'])
def test_nafnet_as_published(key):
    network = NAFNet(width=4, encoder=[1, 2, 0], middle=3, decoder=[1, 1, 2]).eval()
    weights = unwrapped({key: network.state_dict()})
    with pytest.raises(CheckpointError, match='as many levels of encoders'):
        convert('nafnet', weights)  # a level without blocks leaves no trace at the end
    network = NAFNet(width=4, encoder=[1, 2], middle=3, decoder=[1, 2]).eval()
    found = convert('nafnet', unwrapped({key: network.state_dict()}))
    assert found.generator == {
        'type': 'NAFNet', 'in_channels': 3, 'width': 4, 'encoder': [1, 2], 'middle': 3,
        'decoder': [1, 2],
    }  # fmt: skip
    x = image(1, 3, 9, 8)
    with torch.no_grad():
        assert torch.equal(rebuilt(found, NAFNet)(x), network(x))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda w: {}, 'convolution as intro.weight, got the keys none'),
        (without('downs.0.weight'), r'do not fit .*Missing key.*downs\.0\.weight'),
        (lambda w: {**w, 'decoders.1.0.beta': w['intro.bias']}, 'got 1 and 2'),
    ],
)
def test_other_weights_are_no_nafnet(change, message):
    weights = NAFNet(width=4, encoder=[1], middle=1, decoder=[1]).state_dict()
    refused('nafnet', change(weights), message)


# NoiseTransfer.


@pytest.fixture(scope='module')
def transfer():
    return {
        'VUNet': VUNet(4).state_dict(),
        'encoder_q': ContraE(4).state_dict(),
        'encoder_k': ContraE(4).state_dict(),
    }


def test_noise_transfer_of_three_files(transfer):
    files = {f'released/{name}.pt': weights for name, weights in transfer.items()}
    converted = convert('noise_transfer', join('noise_transfer', files))
    assert converted.generator == {'type': 'VUNet', 'width': 4}
    networks = converted.networks()
    assert list(networks) == ['generator', 'discriminator', 'encoder']
    pairs = zip(networks.values(), transfer.values(), strict=True)
    for network, weights in pairs:
        assert network.state_dict.keys() == weights.keys()
        assert all(torch.equal(network.state_dict[key], weights[key]) for key in weights)
    made = checkpoint('noise_transfer', converted, 'files')
    assert len(made['state_dict']) == 504 + 2 * 411
    assert made['meta']['encoder'] == {'type': 'ContraE', 'width': 4}


@pytest.mark.parametrize(
    ('name', 'role'), [('VUNet', 'generator'), ('encoder_q', 'discriminator'),
                       ('encoder_k', 'encoder')],
)  # fmt: skip
def test_one_file_of_noise_transfer_by_its_name(name, role, transfer):
    weights = {f'module.{key}': tensor for key, tensor in transfer[name].items()}
    joined = join('noise_transfer', {f'{name}.pt': weights})
    assert list(convert('noise_transfer', joined).networks()) == [role]


@pytest.mark.parametrize(('name', 'role'), [('VUNet', 'generator'), ('encoder_k', 'encoder')])
def test_one_file_of_noise_transfer_by_its_content(name, role, transfer):
    joined = join('noise_transfer', {'weights.pt': transfer[name]})
    assert list(convert('noise_transfer', joined).networks()) == [role]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda w: {}, 'expected conv_first.conv2d.weight_orig or pre_noise.conv2d.weight_orig'),
        (without('conv_last.conv2d.weight_u'), r'do not fit .*Missing key.*conv_last'),
        (lambda w: {'VUNet.a': torch.zeros(1)}, 'VUNet: expected conv_first.conv2d.weight_orig'),
    ],
)
def test_other_weights_are_no_noise_transfer(change, message, transfer):
    refused('noise_transfer', change(transfer['VUNet']), message)

"""FFDNet, RIDNet and NAFNet: what is particular to each, against forwards written out."""

import pytest
import torch
from torch.nn import functional

from noiseedit.networks import FFDNet, NAFNet, RIDNet


def image(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def shapes(network):
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def convolutions(network):
    return [layer for layer in network.body if isinstance(layer, torch.nn.Conv2d)]


def layered(network, x):
    """Apply the convolutions of an FFDNet one by one."""
    first, *rest = convolutions(network)
    y = functional.conv2d(x, first.weight, first.bias, padding=1)
    for conv in rest:
        y = functional.conv2d(y.clamp(min=0), conv.weight, conv.bias, padding=1)
    return y


# FFDNet.


@pytest.mark.parametrize('channels', [1, 3])
def test_ffdnet_sees_four_sub_images_and_the_level(channels):
    network, x = FFDNet(channels, depth=3, width=8).eval(), image(2, channels, 6, 8)
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
    parts = [x[:, c : c + 1, i::2, j::2] for c in range(channels) for i, j in corners]
    level = torch.tensor([0.1, 0.2]).view(2, 1, 1, 1)
    found = layered(network, torch.cat([*parts, level.expand(2, 1, 3, 4)], 1))
    expected = torch.empty_like(x)
    for c in range(channels):
        for k, (i, j) in enumerate(corners):
            expected[:, c, i::2, j::2] = found[:, 4 * c + k]
    with torch.no_grad():
        torch.testing.assert_close(network(x, level), expected)


def test_ffdnet_pads_odd_sides_by_replication():
    network, x, level = FFDNet(depth=3, width=8).eval(), image(1, 1, 7, 9), image(1, 1, 1, 1)
    even = torch.cat([x, x[..., -1:, :]], 2)
    even = torch.cat([even, even[..., -1:]], 3)
    with torch.no_grad():
        assert torch.equal(network(x, level), network(even, level)[..., :7, :9])


def test_ffdnet_map_of_one_level_is_that_level():
    network, x = FFDNet(depth=3, width=8).eval(), image(1, 1, 7, 9)
    with torch.no_grad():
        told = network(x, torch.full((1, 1, 1, 1), 0.2))
        torch.testing.assert_close(network(x, torch.full((1, 1, 7, 9), 0.2)), told)
        assert not torch.allclose(network(x, torch.full((1, 1, 1, 1), 0.3)), told)


def test_ffdnet_residual_form_subtracts():
    network, x, level = FFDNet(depth=3, width=8).eval(), image(1, 1, 6, 6), image(1, 1, 1, 1)
    with torch.no_grad():
        clean = network(x, level)
        network.residual = True
        torch.testing.assert_close(network(x, level), x - clean)


@pytest.mark.parametrize(
    ('channels', 'weights'), [(3, [1, 1, 1]), (6, [1, 0, 1, 0, 0, 1])], ids=['rgb', 'covariance']
)
def test_ffdnet_spreads_a_white_level_over_its_channels(channels, weights):
    network = FFDNet(3, depth=3, width=8, level_channels=channels).eval()
    x, sigma = image(1, 3, 6, 6), 0.1
    full = sigma * torch.tensor(weights, dtype=torch.float32).view(1, channels, 1, 1)
    with torch.no_grad():
        one = network(x, torch.full((1, 1, 1, 1), sigma))
        assert torch.equal(one, network(x, full))


@pytest.mark.parametrize('shape', [(1, 2, 1, 1), (3, 1, 1, 1), (1, 1, 3, 3), (2,)])
def test_ffdnet_refuses_a_level_that_does_not_fit(shape):
    with pytest.raises(ValueError, match=r'level: expected \(2, 1, 1, 1\) or a map of 6x6, got'):
        FFDNet(depth=3, width=8)(image(2, 1, 6, 6), torch.zeros(shape))


@pytest.mark.parametrize('settings', [{'depth': 1}, {'level_channels': 2}])
def test_ffdnet_refuses_bad_settings(settings):
    with pytest.raises(ValueError, match='depth >= 2 and level_channels of 1, 3 or 6'):
        FFDNet(**settings)


# RIDNet.


def ridnet_names():
    """Return the published names of the variant 'g' and their shapes."""
    weights = {'head': (64, 3, 3, 3), 'tail': (3, 64, 3, 3)}
    for block in ('b1', 'b2', 'b3', 'b4'):
        parts = ['r1.body1.0', 'r1.body1.2', 'r1.body2.0', 'r1.body2.2']
        parts += ['r2.body.0', 'r2.body.2', 'r3.body.0', 'r3.body.2']
        weights |= {f'{block}.{part}': (64, 64, 3, 3) for part in parts}
        weights |= {
            f'{block}.r1.body3.0': (64, 128, 3, 3),
            f'{block}.r3.body.4': (64, 64, 1, 1),
            f'{block}.ca.c1.body.0': (4, 64, 1, 1),
            f'{block}.ca.c2.body.0': (64, 4, 1, 1),
        }
    biases = {f'{name}.bias': shape[:1] for name, shape in weights.items()}
    return {**{f'{name}.weight': shape for name, shape in weights.items()}, **biases}


def test_ridnet_names_and_shapes_are_the_published_ones():
    with torch.device('meta'):
        ours, original = shapes(RIDNet('g')), shapes(RIDNet('ridnet'))
    assert ours == ridnet_names()
    assert len(ours) == 100
    assert original == {
        name.replace('head.', 'head.body.0.'): shape for name, shape in ours.items()
    }


def ridnet_block(weights, x):
    """Return the features of one block, from its weights by name."""

    def conv(name, y, dilation=1):
        weight = weights[f'{name}.weight']
        padding = dilation * (weight.shape[-1] // 2)
        bias = weights[f'{name}.bias']
        return functional.conv2d(y, weight, bias, padding=padding, dilation=dilation)

    one = conv('r1.body1.2', conv('r1.body1.0', x).relu(), 2).relu()
    two = conv('r1.body2.2', conv('r1.body2.0', x, 3).relu(), 4).relu()
    y = conv('r1.body3.0', torch.cat([one, two], 1)).relu() + x
    y = (conv('r2.body.2', conv('r2.body.0', y).relu()) + y).relu()
    inner = conv('r3.body.2', conv('r3.body.0', y).relu()).relu()
    y = (conv('r3.body.4', inner) + y).relu()
    mean = y.mean((2, 3), keepdim=True)
    return y * conv('ca.c2.body.0', conv('ca.c1.body.0', mean).relu()).sigmoid()


@pytest.mark.parametrize('variant', ['ridnet', 'g'])
def test_ridnet_against_its_definition(variant):
    network, x = RIDNet(variant, width=8, reduction=2).eval(), image(1, 3, 10, 12)
    state = network.state_dict()
    head = 'head.body.0' if variant == 'ridnet' else 'head'
    first = functional.conv2d(x, state[f'{head}.weight'], state[f'{head}.bias'], padding=1)
    y = first.relu()
    for block in ('b1', 'b2', 'b3', 'b4'):
        own = {k.removeprefix(f'{block}.'): v for k, v in state.items() if k.startswith(block)}
        y = ridnet_block(own, y)
    y = y + first if variant == 'g' else y
    expected = x + functional.conv2d(y, state['tail.weight'], state['tail.bias'], padding=1)
    with torch.no_grad():
        torch.testing.assert_close(network(x), expected)


def test_ridnet_scale_and_mean_are_those_of_the_published_range():
    """In [0, 255] the release computes ``x + tail(f(x - mean)) + mean``."""
    mean = [0.4488, 0.4371, 0.404]
    plain = RIDNet(width=8, reduction=2).eval()
    scaled = RIDNet(width=8, reduction=2, scale=255, mean=mean).eval()
    scaled.load_state_dict(plain.state_dict(), strict=True)
    x, shift = image(1, 3, 8, 8), 255 * torch.tensor(mean).view(1, 3, 1, 1)
    with torch.no_grad():
        inner = plain(255 * x - shift) - (255 * x - shift)
        torch.testing.assert_close(255 * scaled(x), 255 * x + inner + shift)


@pytest.mark.parametrize('settings', [{'variant': 'x'}, {'width': 24}, {'width': 8}])
def test_ridnet_refuses_bad_settings(settings):
    with pytest.raises(ValueError, match=r'variant|multiple of reduction'):
        RIDNet(**settings)


# NAFNet.


def small_nafnet():
    torch.manual_seed(0)
    network = NAFNet(width=4, encoder=[1, 2], middle=1, decoder=[1, 1]).eval()
    for name, parameter in network.named_parameters():
        if name.endswith(('beta', 'gamma')):
            torch.nn.init.uniform_(parameter, -1, 1)
    return network


def test_nafnet_names_are_the_published_ones():
    with torch.device('meta'):
        found = shapes(NAFNet())
    assert found['intro.weight'] == (32, 3, 3, 3)
    assert found['ending.weight'] == (3, 32, 3, 3)
    assert found['encoders.3.7.conv2.weight'] == (512, 1, 3, 3)
    assert found['downs.3.weight'] == (512, 256, 2, 2)
    assert found['middle_blks.11.sca.1.weight'] == (512, 512, 1, 1)
    assert found['ups.0.0.weight'] == (1024, 512, 1, 1)
    assert found['decoders.0.1.beta'] == (1, 256, 1, 1)
    assert found['decoders.3.1.norm2.bias'] == (32,)
    blocks = 2 + 2 + 4 + 8 + 12 + 8
    assert len(found) == 18 * blocks + 4 + 4 * 2 + 4


def test_nafnet_block_against_its_definition():
    block, x = small_nafnet().middle_blks[0], image(2, 16, 5, 6)

    def norm(y, layer):
        mean = y.mean(1, keepdim=True)
        std = (y.var(1, correction=0, keepdim=True) + 1e-6).sqrt()
        return (y - mean) / std * layer.weight.view(1, -1, 1, 1) + layer.bias.view(1, -1, 1, 1)

    with torch.no_grad():
        a, b = block.conv2(block.conv1(norm(x, block.norm1))).split(16, 1)
        weight = block.sca[1]((a * b).mean((2, 3), keepdim=True))
        y = x + block.conv3(a * b * weight) * block.beta
        a, b = block.conv4(norm(y, block.norm2)).split(16, 1)
        torch.testing.assert_close(block(x), y + block.conv5(a * b) * block.gamma)


def test_nafnet_way_down_and_up():
    network, x = small_nafnet(), image(1, 3, 8, 12)
    with torch.no_grad():
        one = network.encoders[0](network.intro(x))
        two = network.encoders[1](network.downs[0](one))
        y = network.middle_blks(network.downs[1](two))
        y = network.decoders[0](network.ups[0](y) + two)
        y = network.decoders[1](network.ups[1](y) + one)
        torch.testing.assert_close(network(x), x + network.ending(y))


def test_nafnet_pads_with_zeros():
    network, x = small_nafnet(), image(1, 3, 7, 10)
    padded = functional.pad(x, (0, 2, 0, 1))
    with torch.no_grad():
        assert torch.equal(network(x), network(padded)[..., :7, :10])


def test_nafnet_begins_with_what_intro_and_ending_see():
    """All blocks are added with a factor that starts at 0."""
    block, x = NAFNet(width=4, encoder=[1], middle=1, decoder=[1]).middle_blks[0], image(1, 8, 4, 4)
    with torch.no_grad():
        assert torch.equal(block(x), x)


def test_nafnet_refuses_unequal_levels():
    with pytest.raises(ValueError, match='as many levels'):
        NAFNet(encoder=[1, 1], decoder=[1])

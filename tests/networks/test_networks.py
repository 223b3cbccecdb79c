"""Properties that every registered network has; parametrised over the registries."""

import pytest
import torch

from noiseedit.registry import DISCRIMINATORS, GENERATORS

# The smallest useful settings of every network, its input channels, the multiple its sides need.
SMALL_GENERATORS = {
    'DnCNN': ({'depth': 4, 'width': 4}, 1, 1),
    'FFDNet': ({'depth': 3, 'width': 8}, 1, 1),
    'NAFNet': ({'width': 4, 'encoder': [1, 1], 'middle': 1, 'decoder': [1, 1]}, 3, 1),
    'RIDNet': ({'width': 4, 'reduction': 2}, 3, 1),
    'ResNetGenerator': ({'num_blocks': 1, 'width': 4}, 3, 1),
    'UNetGenerator': ({'num_downs': 3, 'width': 4}, 3, 8),
}
SMALL_DISCRIMINATORS = {'PatchGAN': ({'num_layers': 1, 'width': 4}, 6, 1)}
SMALL = {**SMALL_GENERATORS, **SMALL_DISCRIMINATORS}


def shipped(registry):
    """Return the networks of this package, not those of plug-ins or of single methods."""
    classes = {name: registry.get(name) for name in registry.names()}
    return [n for n, c in classes.items() if c.__module__.startswith('noiseedit.networks')]


NAMES = [
    *((GENERATORS, name) for name in shipped(GENERATORS)),
    *((DISCRIMINATORS, name) for name in shipped(DISCRIMINATORS)),
]


@pytest.fixture(params=NAMES, ids=[name for _, name in NAMES])
def case(request):
    registry, name = request.param
    settings, channels, multiple = SMALL[name]
    torch.manual_seed(0)
    return lambda: told(registry.build(dict(type=name, **settings))), channels, multiple


def told(network):
    """Give a network that takes a noise level one to all its calls."""
    if getattr(network, 'takes_level', False):
        network.register_forward_pre_hook(lambda _, args: (*args, torch.full((1, 1, 1, 1), 0.1)))
    return network


def image(channels, height=24, width=32, n=2, seed=0):
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(seed))


def test_every_network_has_a_small_setting():
    assert {name for _, name in NAMES} == set(SMALL)


def test_gradients_reach_every_parameter_and_the_input(case):
    build, channels, _ = case
    network, x = build().train(), image(channels).requires_grad_()
    network(x).square().sum().backward()
    assert x.grad.abs().sum() > 0
    silent = [n for n, p in network.named_parameters() if p.grad is None]
    assert not silent


def test_state_dict_round_trip_gives_the_same_output(case):
    build, channels, _ = case
    first, second = build().eval(), build().eval()
    x = image(channels)
    with torch.no_grad():
        assert not torch.equal(first(x), second(x))
        second.load_state_dict(first.state_dict(), strict=True)
        assert torch.equal(first(x), second(x))


def test_evaluation_does_not_depend_on_the_batch(case):
    build, channels, _ = case
    network, x = build().eval(), image(channels, n=3)
    with torch.no_grad():
        together, alone = network(x), torch.cat([network(one[None]) for one in x])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_evaluation_is_deterministic(case):
    build, channels, _ = case
    network, x = build().eval(), image(channels)
    with torch.no_grad():
        assert torch.equal(network(x), network(x))


def test_wrong_channels_are_refused(case):
    build, channels, _ = case
    with pytest.raises(ValueError, match=f'expected \\(N, {channels}, H, W\\).*in_channels'):
        build()(image(channels + 1))


def test_channels_last_and_bfloat16_agree_with_float32(case):
    build, channels, _ = case
    network, x = build().eval(), image(channels)
    with torch.no_grad():
        plain = network(x)
        network.to(memory_format=torch.channels_last)
        torch.testing.assert_close(network(x), plain, rtol=1e-4, atol=1e-5)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            low = network(x)
    torch.testing.assert_close(low.float(), plain, rtol=0.1, atol=0.05)


@pytest.mark.parametrize('name', SMALL_GENERATORS)
@pytest.mark.parametrize('size', [(8, 8), (13, 18), (17, 9)])
def test_generators_keep_the_size_or_name_the_multiple(name, size):
    settings, channels, multiple = SMALL[name]
    network = told(GENERATORS.build(dict(type=name, **settings))).eval()
    x = image(channels, *size)
    if size[0] % multiple or size[1] % multiple:
        with pytest.raises(ValueError, match=f'multiples of {multiple}.*pad_multiple={multiple}'):
            network(x)
        return
    with torch.no_grad():
        assert network(x).shape == x.shape


@pytest.mark.parametrize(
    ('spec', 'count'),
    [
        ({'type': 'DnCNN'}, 556_032),
        ({'type': 'DnCNN', 'norm': False}, 555_137),
        ({'type': 'DnCNN', 'depth': 20}, 667_008),
        ({'type': 'DnCNN', 'depth': 20, 'norm': False}, 665_921),
        ({'type': 'DnCNN', 'depth': 20, 'norm': False, 'in_channels': 3}, 668_227),
        ({'type': 'FFDNet'}, 485_316),
        ({'type': 'FFDNet', 'in_channels': 3}, 852_108),
        ({'type': 'FFDNet', 'in_channels': 3, 'level_channels': 6}, 856_428),
        ({'type': 'FFDNet', 'in_channels': 3, 'depth': 10, 'level_channels': 3}, 687_756),
        ({'type': 'NAFNet'}, 29_159_715),
        ({'type': 'NAFNet', 'width': 64}, 115_982_915),
        ({'type': 'RIDNet'}, 1_499_347),
        ({'type': 'RIDNet', 'variant': 'g'}, 1_499_347),
        ({'type': 'UNetGenerator'}, 54_414_531),
        ({'type': 'ResNetGenerator'}, 11_378_179),
        ({'type': 'PatchGAN'}, 2_768_705),
    ],
    ids=lambda value: value if isinstance(value, int) else value['type'],
)
def test_parameter_counts_are_the_published_ones(spec, count):
    registry = DISCRIMINATORS if spec['type'] == 'PatchGAN' else GENERATORS
    with torch.device('meta'):
        assert sum(p.numel() for p in registry.build(spec).parameters()) == count

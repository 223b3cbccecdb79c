"""The options of PatchGAN that come from SPADE: padding, spectral norm, scales, all layers."""

import pytest
import torch
from torch import nn

from noiseedit.networks import PatchGAN

SPADE = {'norm': 'instance', 'padding': 2, 'spectral_norm': True, 'bias': False, 'init': 'xavier'}


def image(side=32, n=2):
    return torch.rand(n, 6, side, side, generator=torch.Generator().manual_seed(0))


def small(**changes):
    torch.manual_seed(0)
    return PatchGAN(num_layers=2, width=4, **{**SPADE, **changes})


def test_parameter_count_and_names_with_the_options():
    with torch.device('meta'):
        network = PatchGAN(**SPADE)
        twice = PatchGAN(**SPADE, num_scales=2)
    assert sum(p.numel() for p in network.parameters()) == 2_766_913
    assert sum(p.numel() for p in twice.parameters()) == 2 * 2_766_913
    convs = [module for module in network.body if isinstance(module, nn.Conv2d)]
    assert [conv.bias is not None for conv in convs] == [True, False, False, False, True]
    assert [hasattr(conv, 'parametrizations') for conv in convs] == [False, True, True, True, False]
    assert set(network.state_dict()) < set(twice.state_dict())


def test_the_options_leave_the_default_alone():
    names = set(PatchGAN(num_layers=1, width=2).state_dict())
    assert all(name.startswith('body.') for name in names)


def test_inner_convolutions_have_spectral_norm_one():
    network = small()
    for _ in range(30):
        network(image())
    (_, *inner, _) = [m for m in network.body if isinstance(m, nn.Conv2d)]
    for conv in inner:
        largest = torch.linalg.matrix_norm(conv.weight.flatten(1), 2)
        assert largest.item() == pytest.approx(1, abs=1e-2)


def test_every_scale_judges_the_image_halved_once_more():
    network, x = small(num_scales=3).eval(), image()
    logits = network(x)
    for body, found in zip([network.body, *network.coarser], logits, strict=True):
        assert torch.equal(found, body(x))
        x = halved(x)


def halved(x):
    """Average the pixels of 3 x 3 that exist, every other place."""
    ones = torch.ones_like(x)
    total, count = (
        nn.functional.conv2d(part, torch.ones(6, 1, 3, 3), stride=2, padding=1, groups=6)
        for part in (x, ones)
    )
    return total / count


def test_layers_are_what_the_activations_gave_and_the_logits():
    network, x = small(num_scales=2).eval(), image()
    scales = network(x, layers=True)
    assert [len(scale) for scale in scales] == [4, 4]
    assert [torch.equal(a[-1], b) for a, b in zip(scales, network(x), strict=True)] == [True, True]
    for i, end in enumerate((2, 5, 8)):
        assert torch.equal(scales[0][i], network.body[:end](x))
    (single,) = small().eval()(x, layers=True)
    assert len(single) == 4


@pytest.mark.parametrize(
    ('options', 'message'),
    [({'init': 'he'}, "'normal' or 'xavier', got 'he'"), ({'num_scales': 0}, 'at least 1, got 0')],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)

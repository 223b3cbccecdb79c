"""What is particular to one architecture, against independent computations."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from noiseedit.networks import DnCNN, PatchGAN, ResNetGenerator, UNetGenerator
from noiseedit.networks.layers import norm2d


def counted(network):
    return sum(p.numel() for p in network.parameters())


def image(channels, height, width, n=1):
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(1))


def test_dncnn_returns_input_minus_predicted_noise():
    network, x = DnCNN(depth=5, width=8, norm=False).eval(), image(1, 12, 9)
    noise = x
    for module in network.body:
        if isinstance(module, nn.Conv2d):
            noise = functional.conv2d(noise, module.weight, module.bias, padding=1)
        else:
            noise = noise.clamp(min=0)
    torch.testing.assert_close(network(x), x - noise)
    torch.testing.assert_close(network.noise(x), noise)


@pytest.mark.parametrize('norm', [True, False])
def test_dncnn_starts_near_the_identity(norm):
    torch.manual_seed(0)
    network, x = DnCNN(norm=norm).eval(), image(1, 20, 20)
    with torch.no_grad():
        assert (network(x) - x).abs().max() < 0.5


def test_dncnn_on_sub_images_is_the_plain_one_between_them():
    network, x = DnCNN(depth=4, width=8, subsampling=2).eval(), image(1, 7, 9)
    plain = DnCNN(4, depth=4, width=8).eval()
    plain.load_state_dict(network.state_dict())
    even = functional.pad(x, (0, 1, 0, 1), mode='replicate')
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
    found = plain(torch.cat([even[:, :, i::2, j::2] for i, j in corners], 1))
    expected = torch.empty_like(even)
    for channel, (i, j) in enumerate(corners):
        expected[:, 0, i::2, j::2] = found[:, channel]
    torch.testing.assert_close(network(x), expected[..., :7, :9])


@pytest.mark.parametrize('settings', [{'depth': 2}, {'subsampling': 0}])
def test_dncnn_refuses_bad_settings(settings):
    with pytest.raises(ValueError, match='DnCNN: expected depth >= 3 and subsampling >= 1, got'):
        DnCNN(**settings)


def unet_count(downs, width, in_channels, out_channels):
    """Count by hand: 4x4 kernels; a bias where no norm follows, else two numbers per channel."""
    wide = [width * min(2**level, 8) for level in range(downs)]
    total = 16 * in_channels * wide[0] + wide[0]
    for level in range(1, downs):
        extra = wide[level] if level == downs - 1 else 2 * wide[level]
        total += 16 * wide[level - 1] * wide[level] + extra
        skip = 1 if level == downs - 1 else 2
        total += 16 * skip * wide[level] * wide[level - 1] + 2 * wide[level - 1]
    return total + 16 * 2 * width * out_channels + out_channels


@pytest.mark.parametrize('downs', [5, 6, 7, 8, 9])
def test_unet_count_by_hand(downs):
    with torch.device('meta'):
        assert counted(UNetGenerator(1, 2, downs, 16)) == unet_count(downs, 16, 1, 2)
    assert unet_count(8, 64, 3, 3) == 54_414_531


@pytest.mark.parametrize('downs', [5, 6, 7, 8, 9])
def test_unet_takes_every_power_of_two(downs):
    side = 2**downs
    with torch.device('meta'):
        network = UNetGenerator(num_downs=downs, width=2).eval()
        assert network(torch.empty(1, 3, side, side)).shape == (1, 3, side, side)


def test_unet_dropout_works_in_training_only():
    network, x = UNetGenerator(num_downs=3, width=4, norm='instance'), image(3, 16, 16)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_unet_skip_connections_carry_every_level():
    network, x = UNetGenerator(num_downs=3, width=4).eval(), image(3, 16, 16)
    with torch.no_grad():
        deep = network.down[2](network.down[1](network.down[0](x)))
        level_2 = torch.cat([network.down[1](network.down[0](x)), network.up[0](deep)], 1)
        level_1 = torch.cat([network.down[0](x), network.up[1](level_2)], 1)
        torch.testing.assert_close(network(x), network.out(level_1))


def test_resnet_count_by_hand():
    def conv(i, o, k):
        return i * o * k * k + o

    w = 4
    blocks = 2 * 3 * conv(4 * w, 4 * w, 3)
    ends = conv(3, w, 7) + conv(w, 3, 7)
    resampling = 2 * (conv(w, 2 * w, 3) + conv(2 * w, 4 * w, 3)) - (2 * w + 4 * w) + (w + 2 * w)
    assert counted(ResNetGenerator(num_blocks=3, width=w)) == blocks + ends + resampling


def test_resnet_blocks_add_to_their_input():
    network, x = ResNetGenerator(num_blocks=1, width=4).eval(), image(16, 8, 8)
    block = network.blocks[0]
    torch.testing.assert_close(block(x), x + block.body(x))


def test_resnet_output_lies_in_the_range_of_tanh():
    with torch.no_grad():
        y = ResNetGenerator(num_blocks=1, width=4)(image(3, 16, 16))
    assert y.abs().max() < 1


@pytest.mark.parametrize(('layers', 'field'), [(1, 16), (2, 34), (3, 70)])
def test_patchgan_sees_patches_of_the_paper(layers, field):
    """The gradient of one logit touches exactly ``field`` pixels a side."""
    network = PatchGAN(3, layers, width=2, norm='none').eval()
    x = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(0), requires_grad=True)
    logits = network(x)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    touched = x.grad.abs().sum((0, 1)) > 0
    assert touched.any(1).sum() == field
    assert touched.any(0).sum() == field


def test_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="'batch', 'instance' or 'none', got 'layer'"):
        norm2d('layer', 3)

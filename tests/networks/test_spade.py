"""SPADE and its residual block, against the formulas."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from noiseedit.networks.spade import SPADE, SPADEResBlock


def maps(channels, seed=0, side=6):
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(seed))


def shake(module):
    """Give every convolution weights that show."""
    torch.manual_seed(1)
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and not hasattr(part, 'parametrizations'):
            nn.init.normal_(part.weight, std=0.3)
            if part.bias is not None:
                nn.init.normal_(part.bias, std=0.3)
    return module


def test_with_gamma_and_beta_zero_it_is_instance_norm():
    spade = SPADE(4, 3, hidden=5)
    nn.init.zeros_(spade.modulation.weight)
    x = maps(4)
    assert torch.equal(spade(x, maps(3, 1)), functional.instance_norm(x))


def test_equation_one():
    spade, x, label = shake(SPADE(4, 3, hidden=5)), maps(4), maps(3, 1)
    hidden = functional.conv2d(label, spade.shared.weight, spade.shared.bias, padding=1).clamp(
        min=0
    )
    weight, bias = spade.modulation.weight, spade.modulation.bias
    gamma = functional.conv2d(hidden, weight[:4], bias[:4], padding=1)
    beta = functional.conv2d(hidden, weight[4:], bias[4:], padding=1)
    mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True, correction=0)
    expected = (x - mean) / (var + 1e-5).sqrt() * (1 + gamma) + beta
    torch.testing.assert_close(spade(x, label), expected)


def test_without_label_channels_there_are_no_parameters():
    spade, x = SPADE(4, 0), maps(4)
    assert not list(spade.parameters())
    assert torch.equal(spade(x, None), functional.instance_norm(x))


@pytest.mark.parametrize(('fin', 'fout'), [(4, 4), (6, 3), (3, 6)])
def test_residual_block(fin, fout):
    block, x, label = shake(SPADEResBlock(fin, fout, 3, hidden=5)).eval(), maps(fin), maps(3, 1)
    y = functional.leaky_relu(block.norm_1(x, label), 0.2)
    y = functional.conv2d(y, block.conv_1.weight, block.conv_1.bias, padding=1)
    assert y.shape[1] == min(fin, fout)
    y = functional.leaky_relu(block.norm_2(y, label), 0.2)
    y = functional.conv2d(y, block.conv_2.weight, block.conv_2.bias, padding=1)
    skip = x
    if fin != fout:
        assert block.conv_skip.bias is None
        skip = functional.conv2d(block.norm_skip(x, label), block.conv_skip.weight)
    torch.testing.assert_close(block(x, label), skip + y)


def test_convolutions_of_the_block_have_spectral_norm_one():
    block = SPADEResBlock(6, 3, 3, hidden=5)
    for _ in range(20):  # power iterations
        block(maps(6), maps(3, 1))
    for conv in (block.conv_1, block.conv_2, block.conv_skip):
        largest = torch.linalg.matrix_norm(conv.weight.flatten(1), 2)
        assert largest.item() == pytest.approx(1, abs=1e-3)
    assert not hasattr(block.norm_1.shared, 'parametrizations')

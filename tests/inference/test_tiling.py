"""Tiles: what a network sees, tiles that cover, results as of the whole image."""

import itertools

import pytest
import torch
from torch import nn

from noiseedit.errors import ConfigError, DataError
from noiseedit.inference.tiling import (
    Reach,
    Tiles,
    measure_difference,
    measure_reach,
    spans,
    tiled,
)
from noiseedit.networks import DnCNN, FFDNet, NAFNet, ResNetGenerator, RIDNet


class Cells(nn.Module):
    """Cells of 4x4 pixels and their eight neighbours."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(16, 16, 3, padding=1), nn.PixelShuffle(4)
        )

    def forward(self, x):
        down, right = -x.shape[-2] % 4, -x.shape[-1] % 4
        padded = nn.functional.pad(x, (0, right, 0, down), mode='replicate')
        return self.body(padded)[..., : x.shape[-2], : x.shape[-1]]


class OneSided(nn.Module):
    """Every pixel sees three pixels to its left alone."""

    def forward(self, x):
        return x + nn.functional.pad(x, (3, 0, 0, 0))[..., :-3]


def dncnn():
    return DnCNN(1, depth=5, width=6, norm=False).eval()


def ffdnet():
    network = FFDNet(1, depth=3, width=6).eval()
    return lambda x: network(x, x.new_full((1, 1, 1, 1), 0.1))


LOCAL = {
    'DnCNN': (dncnn, Reach(5, 1)),
    'FFDNet': (ffdnet, Reach(6, 2)),
    'Cells': (Cells, Reach(4, 4)),
    'OneSided': (OneSided, Reach(3, 1)),
}
GLOBAL = {
    'RIDNet': (lambda: RIDNet(width=4, reduction=4), 3),
    'NAFNet': (lambda: NAFNet(1, width=4, encoder=(1, 1), middle=1, decoder=(1, 1)), 1),
    'ResNetGenerator': (lambda: ResNetGenerator(1, 1, width=4, num_blocks=1), 1),
}


@pytest.fixture(autouse=True)
def same_weights_without_gradients():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def image_of(*size, channels=1):
    return torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(0))


def exact(network):
    """Return the network with weights -1, 0 and 1 in float64: it calculates without rounding."""
    for parameter in network.parameters():
        values = torch.randint(-1, 2, parameter.shape, generator=torch.Generator().manual_seed(1))
        parameter.data = values.double()
    return network


# What a network sees.


@pytest.mark.parametrize('name', LOCAL)
def test_reach_of_local_networks(name):
    make, expected = LOCAL[name]
    assert measure_reach(make(), 1) == expected


@pytest.mark.parametrize('depth', [17, 20])
def test_reach_of_dncnn_is_its_depth(depth):
    assert measure_reach(DnCNN(1, depth=depth, width=2).eval(), 1) == Reach(depth, 1)


def test_reach_of_dncnn_on_sub_images_is_twice_as_far():
    network = DnCNN(1, depth=6, width=2, subsampling=2).eval()
    assert measure_reach(network, 1) == Reach(12, 2)


@pytest.mark.parametrize('name', GLOBAL)
def test_reach_of_networks_that_look_at_the_whole_image(name):
    make, channels = GLOBAL[name]
    assert measure_reach(make().eval(), channels).halo is None


def test_reach_of_a_network_that_sees_far_but_not_everything():
    def network(x):
        far = nn.functional.pad(x, (100, 100, 100, 100))
        return x + far[..., : x.shape[-2], : x.shape[-1]] + far[..., 200:, 200:]

    assert measure_reach(network, 1) == Reach(100, 1)


def test_reach_does_not_depend_on_weights():
    network = dncnn()
    for parameter in network.parameters():
        parameter.zero_()
    assert measure_reach(network, 1) == Reach(5, 1)


def test_reach_keeps_the_multiple_that_sizes_need():
    assert measure_reach(Cells(), 1, multiple=6) == Reach(4, 12)


def test_network_that_hides_nan_counts_as_unbounded():
    assert measure_reach(lambda x: dncnn()(x).nan_to_num(), 1).halo is None


# Tiles.


@pytest.mark.parametrize(('size', 'halo', 'multiple'), [(16, 0, 1), (16, 5, 2), (24, 6, 4)])
def test_tiles_cover_every_pixel_once(size, halo, multiple):
    tiles = Tiles(size, halo, multiple)
    for length in range(1, 120):
        found = spans(length, tiles)
        kept = [pixel for span in found for pixel in range(span.first, span.last)]
        assert kept == list(range(length))
        assert all(span.start % multiple == 0 for span in found)
        assert all(span.stop - span.start <= size for span in found)
        assert (found[0].start, found[-1].stop) == (0, length)
        for before, after in itertools.pairwise(found):
            assert before.stop - before.start == size  # only the last may be smaller
            assert before.stop - before.last >= halo
            assert after.first - after.start >= halo


@pytest.mark.parametrize(
    ('size', 'halo', 'multiple', 'batch', 'message'),
    [
        (20, 10, 1, 1, 'a size of at least 21 pixels for a halo of 10, got 20'),
        (30, 10, 8, 1, 'a multiple of 8 of at least 32 pixels for a halo of 10, got 30'),
        (30, -1, 1, 1, 'a halo >= 0 and a batch >= 1, got -1 and 1'),
        (30, 1, 1, 0, 'got 1 and 0'),
    ],
)
def test_impossible_tiles_are_refused(size, halo, multiple, batch, message):
    with pytest.raises(ConfigError, match=message):
        Tiles(size, halo, multiple, batch)


@pytest.mark.parametrize('size', [16, 20, 32, 100])
@pytest.mark.parametrize('shape', [(50, 50), (53, 67), (19, 90), (7, 5)])
@pytest.mark.parametrize('name', ['DnCNN', 'Cells'])
def test_result_is_bit_for_bit_that_of_the_whole_image(name, shape, size):
    make, (halo, multiple) = LOCAL[name]
    network = exact(make())
    image = (255 * image_of(*shape)).round().double()
    whole = network(image)
    result = tiled(network, image, Tiles(size, halo, multiple, batch=3))
    assert torch.equal(result.double(), whole.float().double())


@pytest.mark.parametrize('name', LOCAL)
def test_float_arithmetic_differs_by_rounding_alone(name):
    make, (halo, multiple) = LOCAL[name]
    network, image = make(), image_of(75, 131)
    whole = network(image)
    rounding = 1e-6 * float(whole.abs().max())
    for size, batch in ((32, 1), (40, 4), (64, 2)):
        result = tiled(network, image, Tiles(size, halo, multiple, batch))
        torch.testing.assert_close(result, whole, rtol=0, atol=rounding)


def test_halo_too_small_is_visible_and_measured():
    network, image = exact(dncnn()), (255 * image_of(20, 60)).round().double()
    too_small = Tiles(24, 4)
    wrong = tiled(network, image, too_small) != network(image).float()
    columns = set(wrong[0, 0].any(0).nonzero().flatten().tolist())
    assert columns
    assert columns <= {19, 20, 35, 36, 39, 40}  # both sides of the three seams
    assert measure_difference(network, image, too_small).largest > 0
    assert measure_difference(network, image, Tiles(24, 5)).largest == 0


def test_difference_of_a_network_that_sees_all():
    make, channels = GLOBAL['RIDNet']
    network = make().eval()
    for parameter in network.parameters():
        parameter.mul_(3)
    image = image_of(80, 150, channels=channels).pow(2) * torch.linspace(0, 1, 150)
    found = measure_difference(network, image, Tiles(64, 16, 16))
    assert found.largest > found.rms > 0
    assert (found.height, found.width) == (64, 96)


def test_tiles_of_several_images_and_other_channels():
    images = torch.cat([image_of(40, 50), 1 - image_of(40, 50)])
    result = tiled(lambda x: torch.cat([x, 2 * x], 1), images, Tiles(16, 0, batch=4))
    assert torch.equal(result, torch.cat([images, 2 * images], 1))


def test_progress_counts_tiles():
    told = []
    tiled(lambda x: x, image_of(40, 50), Tiles(16, 0, batch=4), lambda *of: told.append(of))
    assert told == [(4, 12), (8, 12), (12, 12)]


def test_network_that_changes_the_size_is_refused():
    with pytest.raises(DataError, match='does not keep the size'):
        tiled(lambda x: x[..., ::2, ::2], image_of(40, 50), Tiles(16, 0))

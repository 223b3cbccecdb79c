"""A trained NoiseTransfer: how its networks are found, and the noise that they transfer."""

import pytest
import torch
from saved_networks import random_images, small_networks, weights_of, write_checkpoint

from noiseedit.engine.checkpoint import save_checkpoint
from noiseedit.errors import CheckpointError, ConfigError, DataError, MissingWeightsError
from noiseedit.inference.noise_tiles import HALO, RandomMaps
from noiseedit.inference.noise_transfer import (
    embed,
    load_networks,
    transfer,
    untrained_networks,
)
from noiseedit.models import convert
from noiseedit.models.noise_transfer import VUNet
from noiseedit.noises import SampleStreams
from noiseedit.noises.random import normal


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp('transfer') / 'iter_10.pth')


@pytest.fixture(scope='module')
def networks(checkpoint):
    return load_networks(checkpoint, device='cpu')


@pytest.fixture(scope='module')
def plain():
    """The same networks as they were trained, spectral norms unfolded."""
    return small_networks()


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


# Loading.


def test_a_checkpoint_alone_gives_both_networks_frozen(networks, plain):
    clean, reference = random_images(), random_images(seed=1)
    generator, encoder = plain
    with torch.no_grad():
        condition = encoder(reference).embedding
        expected = clean + generator(clean, condition, stream())
    assert torch.equal(embed(networks, reference), condition)
    torch.testing.assert_close(
        transfer(networks, clean, condition, stream()), expected, rtol=0, atol=1e-6
    )
    for network in networks:
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert not any('orig' in name for name in network.state_dict())


def test_a_converted_release_and_a_work_folder_do_as_well(networks, plain, tmp_path):
    released = {
        f'{file}.{name}': tensor.clone()
        for file, network in zip(('VUNet', 'encoder_k'), plain, strict=True)
        for name, tensor in network.state_dict().items()
    }
    converted = convert.convert('noise_transfer', released)
    folder = tmp_path / 'work'
    path = folder / 'iter_7.pth'
    folder.mkdir()
    save_checkpoint(convert.checkpoint('noise_transfer', converted, 'VUNet.pt'), path)
    reference = random_images()
    for place in (path, folder):
        assert torch.equal(
            embed(load_networks(place, device='cpu'), reference), embed(networks, reference)
        )


def test_a_moving_average_is_taken_where_there_is_one(tmp_path):
    other = small_networks(seed=5)
    average = {n: t for n, t in weights_of(*other).items() if n.startswith('generator.')}
    path = write_checkpoint(tmp_path / 'iter_1.pth', ema_state_dict=average)
    averaged, not_averaged = (load_networks(path, ema=ema, device='cpu') for ema in ('auto', 'off'))
    clean, condition = random_images(1), embed(averaged, random_images(1))
    with torch.no_grad():
        expected = clean + other[0](clean, condition, stream())
    made = [transfer(found, clean, condition, stream()) for found in (averaged, not_averaged)]
    torch.testing.assert_close(made[0], expected, rtol=0, atol=1e-6)
    assert (made[1] - expected).abs().max() > 1e-3


def test_loading_draws_no_global_random_number(checkpoint):
    before = torch.get_rng_state()
    load_networks(checkpoint, device='cpu')
    untrained_networks()
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_no_such_checkpoint_is_refused(tmp_path, plain):
    with pytest.raises(MissingWeightsError, match='convert the released files'):
        load_networks(tmp_path / 'none.pth')
    wrong = tmp_path / 'dncnn.pth'
    save_checkpoint({'state_dict': {'generator.model.0.weight': torch.zeros(2, 2)}}, wrong)
    with pytest.raises(CheckpointError, match=r'expected .* generator.conv_first.* got generator'):
        load_networks(wrong)
    partial = weights_of(*plain)
    del partial['generator.conv_last.conv2d.weight_u']
    save_checkpoint({'state_dict': partial}, wrong)
    with pytest.raises(
        CheckpointError, match=r'(?s)generator is no VUNet.*conv_last.conv2d.weight_u'
    ):
        load_networks(wrong)
    no_encoder = {n: t for n, t in weights_of(*plain).items() if n.startswith('generator.')}
    save_checkpoint({'state_dict': no_encoder}, wrong)
    with pytest.raises(CheckpointError, match=r'expected .* encoder.pre_noise'):
        load_networks(wrong)


CONFIG = """
model = dict(
    type='RestorationModel',
    generator=dict(type='DnCNN', in_channels=1, width=4, depth=3),
    losses=dict(pixel=dict(type='L1Loss')),
)
"""
TRANSFER = """
model = dict(
    type='NoiseTransfer',
    generator=dict(type='VUNet', width=4),
    discriminator=dict(type='ContraE', width=4),
    queue_size=8,
)
"""


def test_a_config_names_other_networks(networks, checkpoint, tmp_path):
    config = tmp_path / 'model.py'
    config.write_text(TRANSFER)
    found = load_networks(checkpoint, config, device='cpu')
    reference = random_images()
    assert torch.equal(embed(found, reference), embed(networks, reference))


def test_a_config_of_another_model_is_refused(checkpoint, tmp_path):
    config = tmp_path / 'model.py'
    config.write_text(CONFIG)
    with pytest.raises(CheckpointError, match='do not fit'):
        load_networks(checkpoint, config)


# Transfer.


def test_streams_make_images_independent_of_their_batch(networks):
    clean, condition = random_images(3), embed(networks, random_images(3, seed=1))
    together = transfer(networks, clean, condition, SampleStreams([1, 2, 3]))
    alone = [
        transfer(networks, clean[i : i + 1], condition[i : i + 1], SampleStreams([i + 1]))
        for i in range(3)
    ]
    assert torch.equal(together, torch.cat(alone))
    other = transfer(networks, clean, condition, SampleStreams([1, 2, 4]))
    assert torch.equal(together[:2], other[:2])
    assert not torch.equal(together[2], other[2])


def test_autocast_changes_nothing(networks):
    clean, reference = random_images(), random_images(seed=1)
    plain = transfer(networks, clean, embed(networks, reference), stream())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = transfer(networks, clean, embed(networks, reference), stream())
    assert inside.dtype == torch.float32
    assert torch.equal(inside, plain)


@pytest.mark.parametrize('size', [(301, 250), (60, 403)])
def test_tiles_give_what_the_whole_image_gives(networks, size):
    clean, condition = random_images(1, *size), embed(networks, random_images(1))
    whole = transfer(networks, clean, condition, SampleStreams([3]))
    tiled = transfer(networks, clean, condition, SampleStreams([3]), tile=240)
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-5)
    batch = [transfer(networks, clean, condition, stream(), tile=240) for _ in range(2)]
    assert torch.equal(*batch)


def test_the_halo_holds_all_that_a_noise_value_depends_on():
    side, middle = 4 * HALO, 2 * HALO
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = VUNet(2).eval()
    clean = torch.rand(1, 3, side, side, generator=stream()).requires_grad_()
    for offset in range(4):
        noise = network(clean, torch.ones(1, 128), stream())
        (gradient,) = torch.autograd.grad(noise[..., middle + offset, middle + offset].sum(), clean)
        seen = gradient.abs().sum((0, 1)).nonzero() - middle - offset
        assert seen.abs().max() <= HALO - 3  # tiles begin at multiples of 4
    assert seen.abs().max() > HALO - 12


def test_random_maps_are_windows_of_those_of_the_whole_image():
    maps = RandomMaps(SampleStreams([4]), 22, 33)
    whole = [normal((1, 1, 24 // s, 36 // s), streams) for streams in [SampleStreams([4])]
             for s in (1, 2, 4)]  # fmt: skip
    for top, left, height, width in [(0, 0, 24, 36), (4, 8, 10, 12), (8, 0, 14, 33)]:
        maps.look(top, left, height, width)
        for scale, full in zip((1, 2, 4), whole, strict=True):
            rows, columns = (-(-side // 4) * 4 // scale for side in (height, width))
            part = normal((1, 1, rows, columns), maps)
            expected = full[..., top // scale :, left // scale :][..., :rows, :columns]
            assert torch.equal(part, expected)


def test_bad_sizes_are_refused(networks):
    with pytest.raises(DataError, match='at least 8 x 8 pixels, got 7 x 20'):
        embed(networks, random_images(1, 7, 20))
    with pytest.raises(ConfigError, match='multiple of 4'):
        transfer(networks, random_images(1), torch.ones(1, 128), stream(), tile=150)

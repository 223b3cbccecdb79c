"""NR-GAN's networks: published counts, layout and numbers; folding changes nothing."""

import numpy as np
import pytest
import torch
from nr_gan_published import discriminator_shapes, filled, generator_shapes
from torch import nn

from noiseedit.models.nr_gan.convert import convert
from noiseedit.models.nr_gan.folded import conv_then_pool, enlarge_then_conv
from noiseedit.models.nr_gan.networks import NRGANDiscriminator, NRGANGenerator
from noiseedit.models.nr_gan.residual import ResidualGANDiscriminator, ResidualGANGenerator
from noiseedit.registry import DISCRIMINATORS, GENERATORS


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def normal(seed, *shape):
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape))


def seeded(kind, seed=0, **settings):
    torch.manual_seed(seed)
    return kind(**settings)


SMALL = {
    'generator': (NRGANGenerator, {'latent_channels': 6, 'channels': 4}),
    'oblong generator': (
        NRGANGenerator,
        {'latent_channels': 6, 'channels': 4, 'image_size': (16, 24)},
    ),
    'discriminator': (NRGANDiscriminator, {'channels': 4}),
    'blurred discriminator': (NRGANDiscriminator, {'in_channels': 6, 'channels': 4}),
    'residual generator': (
        ResidualGANGenerator,
        {'latent_channels': 6, 'channels': 2, 'max_channels': 8, 'image_size': 64},
    ),
    'residual discriminator': (
        ResidualGANDiscriminator,
        {'channels': 2, 'max_channels': 8, 'image_size': 64},
    ),
}
FOLDING = [name for name in SMALL if name != 'residual discriminator']


def example(kind, settings, n=2, dtype=torch.float32):
    """Return an input of a small network."""
    if 'latent_channels' in settings:
        return normal(0, n, settings['latent_channels']).to(dtype)
    side = settings.get('image_size', 32)
    return normal(0, n, settings.get('in_channels', 3), side, side).tanh().to(dtype)


class TestPublished:
    """Counts, names and values of the published networks."""

    @pytest.mark.parametrize(
        ('network', 'expected'),
        [
            (lambda: NRGANGenerator(), 1_202_691),
            (lambda: NRGANGenerator(latent_channels=256), 1_464_835),
            (lambda: NRGANDiscriminator(), 1_053_825),
            (lambda: NRGANDiscriminator(in_channels=6), 1_057_665),
            (lambda: ResidualGANDiscriminator(), 12_018_881),
            (lambda: ResidualGANDiscriminator(max_channels=1024), 29_067_969),
        ],
    )
    def test_counts(self, network, expected):
        with torch.device('meta'):
            assert count(network()) == expected

    @pytest.mark.parametrize(('cap', 'expected'), [(512, 14_123_716), (1024, 33_277_636)])
    def test_the_residual_generator_lacks_the_embedding_alone(self, cap, expected):
        """One number, and the column of the linear layer that it meets."""
        with torch.device('meta'):
            generator = ResidualGANGenerator(max_channels=cap)
        column = generator.linear.out_features
        assert count(generator) + 1 + column == expected

    @pytest.mark.parametrize(
        ('network', 'shapes'),
        [
            (NRGANGenerator(), generator_shapes()),
            (NRGANGenerator(256), generator_shapes(256)),
            (NRGANDiscriminator(), discriminator_shapes()),
            (NRGANDiscriminator(6), discriminator_shapes(6)),
        ],
    )
    def test_weights_are_saved_in_the_published_order(self, network, shapes):
        ours = [tuple(tensor.shape) for tensor in network.state_dict().values()]
        assert ours == list(shapes.values())
        assert len(ours) == 22

    @pytest.mark.parametrize('folded', [True, False])
    @pytest.mark.parametrize(
        ('latent', 'mean', 'std', 'pixels'),
        [
            (
                128,
                0.10333726,
                0.86156945,
                {
                    (0, 0, 0): (-0.9945712, 0.99912249, -0.95606739),
                    (1, 16, 16): (-0.1903057, 0.04170262, -0.36824506),
                },
            ),
            (256, 0.22935239, 0.89471249, {(0, 0, 0): (0.63454138, -0.98190996, 0.92955021)}),
        ],
    )
    def test_generator_gives_the_published_values(self, folded, latent, mean, std, pixels):
        network = NRGANGenerator(latent, folded=folded).double()
        network.load_state_dict(convert(filled(generator_shapes(latent))).state_dict)
        with torch.no_grad():
            images = network(normal(7, 2, latent))
        assert images.mean().item() == pytest.approx(mean, abs=1e-8)
        assert images.std().item() == pytest.approx(std, abs=1e-8)
        for (image, row, column), expected in pixels.items():
            assert images[image, :, row, column].tolist() == pytest.approx(expected, abs=1e-8)

    @pytest.mark.parametrize('folded', [True, False])
    @pytest.mark.parametrize(
        ('in_channels', 'logits', 'penalty'),
        [
            (3, (0.16600244, 0.0968006), 0.0024114361),
            (6, (0.17180634, 0.18665526), 0.0029845009),
        ],
    )
    def test_discriminator_gives_the_published_values(self, folded, in_channels, logits, penalty):
        network = NRGANDiscriminator(in_channels, folded=folded).double()
        found = convert(filled(discriminator_shapes(in_channels)))
        network.load_state_dict(found.others['discriminator'].state_dict)
        images = normal(8, 2, in_channels, 32, 32).tanh().requires_grad_()
        outputs = network(images)
        (gradient,) = torch.autograd.grad(outputs.sum(), images)
        assert outputs.tolist() == pytest.approx(logits, abs=1e-8)
        squares = gradient.square().flatten(1).sum(1).mean().item()
        assert squares == pytest.approx(penalty, abs=1e-10)

    def test_initial_weights(self):
        """Xavier uniform: std 0.04167 for 3x3 of a residual path; gain 1 elsewhere; bias 0."""
        weights = seeded(NRGANGenerator).state_dict() | {
            f'd.{key}': tensor for key, tensor in seeded(NRGANDiscriminator).state_dict().items()
        }
        for key, weight in weights.items():
            if key.endswith('bias'):
                assert not weight.any()
                continue
            receptive = weight[0, 0].numel() if weight.ndim == 4 else 1
            gain = 2 if '.conv1.' in key or '.conv2.' in key else 1
            bound = (6 * gain / (receptive * (weight.shape[0] + weight.shape[1]))) ** 0.5
            assert 0.9 * bound < weight.abs().max() <= bound, key
        assert weights['block2.conv1.weight'].std().item() == pytest.approx(0.04167, rel=0.01)


class TestFolding:
    """``folded`` is speed alone."""

    @pytest.mark.parametrize('size', [1, 3])
    @pytest.mark.parametrize('rewrite', [conv_then_pool, enlarge_then_conv])
    @pytest.mark.parametrize('bias', [True, False])
    def test_each_rewrite_is_exact(self, rewrite, size, bias):
        conv = nn.Conv2d(3, 5, size, padding=size // 2, bias=bias).double()
        x = normal(0, 2, 3, 6, 8)
        torch.testing.assert_close(
            rewrite(conv, x, folded=True), rewrite(conv, x, folded=False), rtol=0, atol=1e-14
        )

    @pytest.mark.parametrize('name', FOLDING)
    def test_state_dicts_are_the_same(self, name):
        kind, settings = SMALL[name]
        folded, plain = seeded(kind, **settings), seeded(kind, **settings, folded=False)
        assert list(folded.state_dict()) == list(plain.state_dict())
        for ours, theirs in zip(folded.parameters(), plain.parameters(), strict=True):
            assert torch.equal(ours, theirs)

    @pytest.mark.parametrize('settings', [{}, {'latent_channels': 256}])
    def test_generator_output_at_full_width(self, settings):
        folded, plain = (seeded(NRGANGenerator, **settings, folded=f) for f in (True, False))
        latent = normal(0, 4, folded.latent_channels).float()
        with torch.no_grad():
            torch.testing.assert_close(folded(latent), plain(latent), rtol=0, atol=1e-6)

    @pytest.mark.parametrize('in_channels', [3, 6])
    def test_discriminator_output_at_full_width(self, in_channels):
        folded, plain = (
            seeded(NRGANDiscriminator, in_channels=in_channels, folded=f) for f in (True, False)
        )
        images = normal(0, 4, in_channels, 32, 32).tanh().float()
        with torch.no_grad():
            torch.testing.assert_close(folded(images), plain(images), rtol=0, atol=1e-6)

    @pytest.mark.parametrize('name', FOLDING)
    def test_gradients_of_first_and_second_order(self, name):
        """Of the output, and of a gradient penalty, by input and weights; float64."""
        kind, settings = SMALL[name]
        found = []
        for folded in (True, False):
            network = seeded(kind, **settings, folded=folded).double()
            for parameter in network.parameters():
                torch.nn.init.normal_(parameter, std=0.3, generator=torch.Generator())
            x = example(kind, settings, dtype=torch.float64).requires_grad_()
            (gradient,) = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)
            weights = [p for n, p in network.named_parameters()]
            second = torch.autograd.grad(gradient.square().sum(), weights, allow_unused=True)
            found.append([gradient, *(g for g in second if g is not None)])
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize('name', SMALL)
class TestAnyNetwork:
    """What every network of the method does."""

    def test_it_is_registered(self, name):
        kind, settings = SMALL[name]
        registry = GENERATORS if 'latent_channels' in settings else DISCRIMINATORS
        assert isinstance(registry.build({'type': kind.__name__, **settings}), kind)

    @pytest.mark.parametrize('n', [1, 3])
    def test_shape_and_range(self, name, n):
        kind, settings = SMALL[name]
        with torch.no_grad():
            y = seeded(kind, **settings)(example(kind, settings, n))
        if 'latent_channels' not in settings:
            assert y.shape == (n,)
            return
        side = settings.get('image_size', 32)
        assert y.shape == (n, 3, *(side if isinstance(side, tuple) else (side, side)))
        assert y.abs().max() <= 1

    def test_batches_are_independent_of_their_size(self, name):
        kind, settings = SMALL[name]
        network, x = seeded(kind, **settings).double(), example(kind, settings, 3, torch.float64)
        with torch.no_grad():
            torch.testing.assert_close(network(x)[1:2], network(x[1:2]))

    def test_channels_last_gives_the_same(self, name):
        kind, settings = SMALL[name]
        x = example(kind, settings)
        plain = seeded(kind, **settings)
        nhwc = seeded(kind, **settings).to(memory_format=torch.channels_last)
        with torch.no_grad():
            torch.testing.assert_close(nhwc(x), plain(x), rtol=0, atol=2e-6)

    @pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
    def test_bfloat16_autocast_trains_with_a_gradient_penalty(self, name, layout):
        kind, settings = SMALL[name]
        network = seeded(kind, **settings).to(memory_format=layout)
        x = example(kind, settings).requires_grad_()
        with torch.autocast('cpu', torch.bfloat16):
            y = network(x).float()
            (gradient,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            loss = y.mean() + gradient.float().square().sum()
        loss.backward()
        gradients = [p.grad for p in network.parameters()]
        assert all(g is not None and g.dtype == torch.float32 for g in gradients[:-1])
        assert all(torch.isfinite(g).all() for g in gradients if g is not None)
        exact = seeded(kind, **settings)(x.detach())
        torch.testing.assert_close(y, exact, rtol=0.05, atol=0.05)

    def test_another_input_is_refused(self, name):
        kind, settings = SMALL[name]
        x = example(kind, settings)
        with pytest.raises(ValueError, match=f'{kind.__name__}: expected .*got'):
            seeded(kind, **settings)(torch.cat([x, x], 1))


class TestSizes:
    """Sides that a network cannot have."""

    @pytest.mark.parametrize('size', [0, 4, 20, (32, 36), (32,), (8, 8, 8)])
    def test_generator_wants_multiples_of_eight(self, size):
        with pytest.raises(ValueError, match=r'image_size: expected one or two multiples of 8'):
            NRGANGenerator(8, 4, size)

    def test_discriminator_wants_multiples_of_eight(self):
        with pytest.raises(ValueError, match='multiples of 8, got 32x36'):
            NRGANDiscriminator(channels=4)(torch.zeros(1, 3, 32, 36))

    @pytest.mark.parametrize('size', [0, 4, 48, 100])
    @pytest.mark.parametrize('kind', [ResidualGANGenerator, ResidualGANDiscriminator])
    def test_residual_networks_want_powers_of_two(self, kind, size):
        with pytest.raises(ValueError, match=f'{kind.__name__}: image_size: expected 4 times'):
            kind(image_size=size)

    def test_residual_discriminator_takes_its_size_alone(self):
        network = ResidualGANDiscriminator(channels=2, max_channels=4, image_size=16)
        with pytest.raises(ValueError, match='expected images of 16x16'):
            network(torch.zeros(1, 3, 32, 32))

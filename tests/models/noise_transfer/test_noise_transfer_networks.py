"""VUNet and ContraE: the published names, shapes and counts, and what each role computes."""

import pytest
import torch
from published_names import contrae_names, vunet_names
from torch.nn import functional

from noiseedit.errors import ConfigError
from noiseedit.models.noise_transfer import ContraE, VUNet
from noiseedit.noises.random import SampleStreams
from noiseedit.registry import DISCRIMINATORS, GENERATORS

K = 128


def image(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def condition(n=1, seed=2):
    return functional.normalize(image(n, K, seed=seed) - 0.5, dim=1)


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def shapes(network):
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


@pytest.fixture(scope='module')
def encoder():
    torch.manual_seed(0)
    return DISCRIMINATORS.build({'type': 'ContraE'}).eval()


@pytest.fixture(scope='module')
def generator():
    torch.manual_seed(0)
    return GENERATORS.build({'type': 'VUNet'}).eval()


@pytest.fixture
def small():
    torch.manual_seed(0)
    return VUNet(4).eval(), ContraE(4).eval()


@pytest.mark.parametrize(
    ('name', 'expected', 'entries', 'parameters', 'values'),
    [
        ('generator', vunet_names, 504, 7_384_832, 7_457_342),
        ('encoder', contrae_names, 411, 9_382_272, 9_447_956),
    ],
)
def test_names_shapes_and_counts_are_the_published_ones(
    request, name, expected, entries, parameters, values
):
    network = request.getfixturevalue(name)
    assert shapes(network) == expected()
    assert len(network.state_dict()) == entries
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert sum(t.numel() for t in network.state_dict().values()) == values


def test_published_shapes_at_96(encoder):
    with torch.no_grad():
        encoded = encoder(image(1, 3, 96, 96))
        judged = encoder(image(1, 3, 96, 96), image(1, 3, 96, 96), encoded.embedding)
    features = [(1, 64, 96, 96), (1, 128, 48, 48), (1, 256, 24, 24)]
    assert [tuple(f.shape) for f in encoded.features] == features
    assert [tuple(f.shape) for f in judged.features] == features
    assert [tuple(l.shape) for l in judged.logits] == [(1, 1, n, n) for n in (96, 48, 24)]  # noqa: E741
    assert encoded.embedding.shape == (1, K)
    assert encoded.embedding.norm().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ('role', 'count'), [('encode', 7_533_120), ('judge', 8_255_296)], ids=['encode', 'judge']
)
def test_each_role_uses_its_published_share(role, count):
    network, x = ContraE(), image(2, 3, 16, 16)
    if role == 'encode':
        sum(part.sum() for part in [*network(x).features, network(x).embedding]).backward()
    else:
        judged = network(x, x.flip(3), condition(2))
        sum(part.sum() for part in [*judged.features, *judged.logits]).backward()
    used = [p for p in network.parameters() if p.grad is not None]
    assert sum(p.numel() for p in used) == count


def test_embedding_without_normalisation_has_the_same_direction(small):
    network, x = small[1], image(2, 3, 17, 19)
    with torch.no_grad():
        plain, unit = network.encode(x, normalise=False).embedding, network(x).embedding
    torch.testing.assert_close(functional.normalize(plain, dim=1), unit)
    assert (plain.norm(dim=1) - 1).abs().min() > 1e-3


def lrelu(x):
    return functional.leaky_relu(x, 0.01)


def weight(network, name):
    """Return a weight divided by its largest singular value, as evaluation uses it."""
    state = network.state_dict()
    w, u, v = (state[f'{name}.{part}'] for part in ('weight_orig', 'weight_u', 'weight_v'))
    matrix = (w.transpose(0, 1) if 'tconv' in name else w).flatten(1)
    return w / (u @ matrix @ v)


def at(network, name, x):
    w = weight(network, f'{name}.conv2d')
    stride, padding = (2, 1) if w.shape[-1] == 4 else (1, w.shape[-1] // 2)
    return functional.conv2d(x, w, stride=stride, padding=padding)


def branch(network, name, x):
    return at(network, f'{name}.1', lrelu(at(network, f'{name}.0', x)))


def conditional(network, name, x, k):
    everywhere = k[:, :, None, None].expand(-1, -1, *x.shape[2:])
    gamma = branch(network, f'{name}.convs_gamma', everywhere)
    beta = branch(network, f'{name}.convs_beta', everywhere)
    return functional.instance_norm(x) * (1 + gamma) + beta


def test_discriminator_against_its_definition(small):
    """What leaves the conditional norm goes on downwards; features and logits are branches."""
    network, clean, noisy, k = (
        small[1],
        image(2, 3, 8, 12),
        image(2, 3, 8, 12, seed=3),
        condition(2),
    )
    y = at(network, 'pre_gan', torch.cat([2 * clean - 1, noisy - clean], 1))
    features, logits = [], []
    with torch.no_grad():
        for level, count in enumerate((2, 3, 4), 1):
            for block in range(count):
                x, name = y, f'blocks{level}.{block}'
                for s in (1, 2):
                    y = conditional(network, f'{name}.gan_cin{s}', y, k)
                    y = at(network, f'{name}.conv{s}', lrelu(y))
                y = y + x
            y = at(network, f'post_gan{level}.0', y)
            y = conditional(network, f'post_gan{level}.1', y, k)
            features.append(at(network, f'post_gan{level}.2', lrelu(y)))
            logits.append(at(network, f'conv_gan{level}', features[-1]))
            y = at(network, f'conv_down{level}', y) if level < 3 else y
        found = network(noisy, clean, k)
    for ours, expected in zip([*found.features, *found.logits], features + logits, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_gain_is_a_factor_of_the_noise_that_the_judge_sees(small):
    plain, clean, noise, k = small[1], image(2, 3, 8, 12), image(2, 3, 8, 12, seed=3), condition(2)
    louder = ContraE(4, noise_gain=8).eval()
    louder.load_state_dict(plain.state_dict())
    with torch.no_grad():
        found = louder(clean + noise / 8, clean, k)
        expected = plain(clean + noise, clean, k)
        same = louder(noise).embedding, plain(noise).embedding
    for one, other in zip(found.logits, expected.logits, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert torch.equal(*same)


@pytest.mark.parametrize('gain', [0, -1.0])
def test_gain_is_above_0(gain):
    with pytest.raises(ConfigError, match='noise_gain: expected a factor above 0'):
        ContraE(4, noise_gain=gain)


def affine(network, name, x):
    state = network.state_dict()
    return functional.instance_norm(x, weight=state[f'{name}.weight'], bias=state[f'{name}.bias'])


def test_encoder_against_its_definition(small):
    """What leaves the blocks goes on downwards; features are branches."""
    network, x = small[1], image(2, 3, 8, 12)
    for name, parameter in network.named_parameters():
        if 'norm' in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    with torch.no_grad():
        y, features = at(network, 'pre_noise', 2 * x - 1), []
        for level, count in enumerate((2, 3, 4), 1):
            for block in range(count):
                before, name = y, f'blocks{level}.{block}'
                for s in (1, 2):
                    y = lrelu(affine(network, f'{name}.noise_inorm{s}', y))
                    y = at(network, f'{name}.conv{s}', y)
                y = y + before
            side = at(network, f'post_noise{level}.0', y)
            side = lrelu(affine(network, f'post_noise{level}.1.norm', side))
            features.append(at(network, f'post_noise{level}.1', side))
            y = at(network, f'conv_down{level}', y) if level < 3 else y
        means = torch.cat([feature.mean((2, 3)) for feature in features], 1)
        hidden = lrelu(means @ weight(network, 'mlp_noise.linear1.linear').T)
        embedding = hidden @ weight(network, 'mlp_noise.linear2.linear').T
        found = network.encode(x, normalise=False)
    for ours, expected in zip(
        [*found.features, found.embedding], [*features, embedding], strict=True
    ):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def modulated(network, name, x, k, draws):
    everywhere = k[:, :, None, None].expand(-1, -1, *x.shape[2:])
    noise = torch.empty(len(x), 1, *x.shape[2:]).normal_(generator=draws)
    gamma = branch(network, f'{name}.convs_gamma', everywhere)
    return x * (1 + gamma) + branch(
        network, f'{name}.convs_beta', torch.cat([everywhere, noise], 1)
    )


def run_blocks(network, group, count, x, k, draws):
    for block in range(count):
        name, y = f'{group}.{block}', x
        for s in (1, 2):
            y = modulated(network, f'{name}.sft{s}', y, k, draws)
            y = at(network, f'{name}.conv{s}', lrelu(y))
        x = x + y
    return x


def up(network, name, x):
    return functional.conv_transpose2d(x, weight(network, f'{name}.tconv2d'), stride=2, padding=1)


def test_generator_against_its_definition(small):
    network, x, k, draws = small[0], image(2, 3, 8, 12), condition(2), stream(5)
    with torch.no_grad():
        one = run_blocks(network, 'blocks1', 4, at(network, 'conv_first', 2 * x - 1), k, draws)
        two = run_blocks(network, 'blocks2', 3, at(network, 'conv_down1', one), k, draws)
        y = run_blocks(network, 'blocks3', 2, at(network, 'conv_down2', two), k, draws)
        y = at(network, 'conv_skip2', lrelu(torch.cat([up(network, 'conv_up2', y), two], 1)))
        y = run_blocks(network, 'blocks2_', 3, y, k, draws)
        y = at(network, 'conv_skip1', lrelu(torch.cat([up(network, 'conv_up1', y), one], 1)))
        y = run_blocks(network, 'blocks1_', 4, y, k, draws)
        expected = at(network, 'conv_last', lrelu(y))
        torch.testing.assert_close(network(x, k, stream(5)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('build', [VUNet, ContraE])
def test_initial_weights_are_divided_by_their_largest_singular_value(build):
    network = build(4)
    for name in network.state_dict():
        if name.endswith('weight_orig'):
            own = weight(network, name.removesuffix('.weight_orig'))
            matrix = (own.transpose(0, 1) if 'tconv' in name else own).flatten(1)
            assert 1 - 1e-4 < torch.linalg.matrix_norm(matrix, 2).item() < 1.5, name


# Randomness and sizes.


def test_generator_draws_32_maps(small):
    """The stream stands where 32 maps of the published sizes leave it."""
    network, draws, same = small[0], stream(), stream()
    with torch.no_grad():
        network(image(1, 3, 16, 16), condition(), draws)
    for count, side in ((8, 16), (6, 8), (4, 4), (6, 8), (8, 16)):
        for _ in range(count):
            torch.empty(1, 1, side, side).normal_(generator=same)
    assert torch.equal(draws.get_state(), same.get_state())


def test_same_seed_same_noise_and_the_global_stream_is_not_touched(generator):
    x, k, before = image(1, 3, 32, 32), condition(), torch.get_rng_state()
    with torch.no_grad():
        first, again, other = (generator(x, k, stream(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-4
    assert torch.equal(torch.get_rng_state(), before)


def test_one_stream_per_image_does_not_depend_on_the_batch(small):
    network, x, k = small[0], image(3, 3, 12, 8), condition(3)
    with torch.no_grad():
        together = network(x, k, SampleStreams([4, 5, 6]))
        alone = network(x[1:2], k[1:2], SampleStreams([5]))
    torch.testing.assert_close(together[1:2], alone)


@pytest.mark.parametrize('size', [(100, 100), (98, 97), (81, 99), (2, 3)])
def test_generator_keeps_every_size(small, size):
    with torch.no_grad():
        noise = small[0](image(1, 3, *size), condition(), stream())
    assert noise.shape == (1, 3, *size)


def test_padding_is_by_reflection(small):
    x, k = image(1, 3, 10, 15), condition()
    padded = functional.pad(x, (0, 1, 0, 2), mode='reflect')
    with torch.no_grad():
        noise = small[0](x, k, stream())
        assert torch.equal(noise, small[0](padded, k, stream())[..., :10, :15])


def test_singular_vectors_move_in_training_alone(small):
    network = small[0]
    vectors = network.conv_first.conv2d.weight_u.clone()
    network(image(1, 3, 8, 8), condition(), stream())
    assert torch.equal(network.conv_first.conv2d.weight_u, vectors)
    network.train()(image(1, 3, 8, 8), condition(), stream())
    assert not torch.equal(network.conv_first.conv2d.weight_u, vectors)


def test_gradients_reach_every_parameter_and_the_condition(small):
    network, k = small[0].train(), condition(2).requires_grad_()
    network(image(2, 3, 8, 8), k, stream()).square().sum().backward()
    assert k.grad.abs().sum() > 0
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_bfloat16_agrees_with_float32(small):
    generator, encoder = small
    x, k = image(2, 3, 16, 16), condition(2)
    with torch.no_grad():
        plain = generator(x, k, stream()), encoder(x).embedding
        with torch.autocast('cpu', dtype=torch.bfloat16):
            low = generator(x, k, stream()), encoder(x).embedding
    for one, other in zip(plain, low, strict=True):
        torch.testing.assert_close(other.float(), one, rtol=0.1, atol=0.05)


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda g, e: g(image(1, 1, 8, 8), condition(), stream()), 'VUNet: expected .N, 3, H, W'),
        (
            lambda g, e: g(image(1, 3, 8, 8), image(1, 64), stream()),
            r'condition: expected \(N, 128',
        ),
        (lambda g, e: e(image(1, 4, 8, 8)), 'ContraE: expected .N, 3, H, W'),
        (lambda g, e: e(image(1, 3, 8, 8), image(1, 3, 8, 8)), 'both the clean images and'),
        (lambda g, e: e(image(1, 3, 8, 8), None, condition()), 'both the clean images and'),
    ],
)
def test_bad_input_is_refused(small, call, message):
    with pytest.raises(ValueError, match=message):
        call(*small)

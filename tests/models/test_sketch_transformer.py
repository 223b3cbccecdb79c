"""Sketch-Transformer, completed: counts, shapes, positions, attention, sizes, its training step."""

from contextlib import contextmanager

import pytest
import torch
from small_models import gan_optimisers, make_batch
from torch.nn import functional

from noiseedit.config import load_config
from noiseedit.datasets.toy import ToyPhotos
from noiseedit.models.sketch_transformer import SketchTransformer
from noiseedit.models.sketch_transformer.attention import AttentionLayer, SelfAttention
from noiseedit.models.sketch_transformer.position import LearnedPositions, build_position
from noiseedit.registry import DISCRIMINATORS, GENERATORS, MODELS

SMALL = {'width': 4, 'patch': 4, 'layers': 1, 'heads': 2}
POSITIONS = [
    {'position': 'coord'},
    {'position': 'learned', 'size': (16, 20)},
    {'position': 'sine', 'width': 16},
]


def counted(network):
    return sum(p.numel() for p in network.parameters())


def small(**changes):
    torch.manual_seed(0)
    return SketchTransformer(**{**SMALL, **changes}).eval()


def image(height=16, width=20, channels=3, n=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, channels, height, width, generator=generator) * 2 - 1


def recipe(name):
    return load_config(f'sketch_transformer/sketch_transformer_{name}.py').model


@contextmanager
def no_spectral_norm():
    """Leave out what is slow on tensors without data and has no parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('noiseedit.networks.spade.spectral', lambda conv: conv)
        yield


@pytest.fixture
def plain_weights():
    with no_spectral_norm():
        yield


@pytest.fixture(scope='module')
def base_model():
    with no_spectral_norm(), torch.device('meta'):
        return MODELS.build(recipe('paired-folder'))


class TestCountsAndShapes:
    """The published-as-completion tables: every part by itself, then the whole."""

    def test_generator(self, base_model):
        generator = base_model.generator
        assert {name: counted(part) for name, part in generator.named_children()} == {
            'encoder': 6_960_640,
            'position': 436_848,
            'projection': 66_048,
            'attention': 18_915_328,
            'decoder': 26_708_864,
            'out': 1_731,
        }
        assert counted(generator) == 53_089_459

    def test_the_defaults_are_those_of_the_recipe(self, plain_weights):
        with torch.device('meta'):
            assert counted(SketchTransformer()) == 53_089_459

    def test_discriminator(self, base_model):
        discriminator = base_model.discriminator
        assert counted(discriminator) == 2_766_913
        sides, x = [], torch.empty(1, 6, 256, 256, device='meta')
        for layer in discriminator.body:
            x = layer(x)
            if isinstance(layer, torch.nn.Conv2d):
                sides.append(x.shape[-1])
        assert sides == [129, 65, 33, 34, 35]
        assert x.shape == (1, 1, 35, 35)

    def test_every_level(self, base_model):
        generator, x = base_model.generator, torch.empty(1, 3, 256, 256, device='meta')
        widths, sides = (64, 128, 256, 512, 512), (256, 128, 64, 32, 16)
        features, positions = generator.encoder(x), generator.position(x)
        for width, side, f, p in zip(widths, sides, features, positions, strict=True):
            assert f.shape == (1, width, side, side)
            assert p.shape == (1, width // 4, side, side)
        assert generator.attention(features[-1]).shape == (1, 512, 16, 16)
        blocks = generator.decoder
        assert [block.conv_2.out_channels for block in blocks] == [512, 512, 256, 128, 64]
        labels = [block.norm_1.shared.in_channels for block in blocks]
        assert labels == [640, 640, 320, 160, 80]
        assert generator(x).shape == x.shape

    @pytest.mark.parametrize(
        ('options', 'attention', 'levels'),
        [
            ({'layers': 4}, 4 * 3_152_384 + 1_024, 5),
            ({'layers': 12}, 12 * 3_152_384 + 1_024, 5),
            ({'dim': 256}, 6 * 789_760 + 512, 5),
            ({'patch': 8}, 18_915_328, 4),
        ],
    )
    def test_options(self, plain_weights, options, attention, levels):
        with torch.device('meta'):
            generator = SketchTransformer(**options)
            assert counted(generator.attention) == attention
            assert len(generator.decoder) == len(generator.encoder.levels) == levels
            assert generator(torch.empty(1, 3, 64, 80)).shape == (1, 3, 64, 80)

    def test_patches_of_8_pixels_make_four_times_as_many_tokens(self):
        seen = []
        for patch in (4, 8):
            generator = small(patch=patch)
            generator.attention.norm.register_forward_hook(lambda *a: seen.append(a[2].shape[1]))
            generator(image(16, 16))
        assert seen == [16, 4]


class TestSizes:
    """Any size whose sides are multiples of the patch; padding brings the others there."""

    @pytest.mark.parametrize('options', POSITIONS, ids=lambda o: o['position'])
    def test_not_square(self, options):
        with torch.no_grad():
            y = small(**options)(image())
        assert y.shape == (2, 3, 16, 20)
        assert y.abs().max() < 1

    def test_one_grey_channel(self):
        assert small(out_channels=1)(image()).shape == (2, 1, 16, 20)

    def test_a_face_of_250_by_200_is_padded_and_cut_back(self):
        spec = recipe('small_sketch-toy')
        spec.generator.update(width=4, patch=16)
        model, seen = MODELS.build(spec).eval(), []
        model.generator.register_forward_hook(lambda _, args, out: seen.append(args[0].shape))
        batch = model.data_preprocessor(make_batch(n=1, height=250, width=200))
        (sample,) = model.predict(batch['inputs'], batch['data_samples'])
        assert seen == [(1, 3, 256, 208)]
        assert sample.pred.shape == (3, 250, 200)

    @pytest.mark.parametrize(
        ('options', 'size', 'message'),
        [
            ({}, (18, 16), 'multiples of 4.*pad_multiple=4'),
            ({}, (4, 4), 'one patch'),
            ({'position': 'learned', 'size': 8}, (8, 12), "made for 8x8 images, got 8x12.*'coord'"),
        ],
    )
    def test_others_are_refused_with_the_remedy(self, options, size, message):
        with pytest.raises(ValueError, match=message):
            small(**options)(image(*size))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'patch': 12}, 'power of two from 2, got 12'),
        ({'heads': 3}, 'heads must divide dim=16, got heads=3'),
        ({'width': 6}, 'multiples of 4'),
        ({'spade_levels': (0, 5)}, r'from 0 to 2, got \[5\]'),
        ({'position': 'learned'}, 'set size'),
        ({'position': 'sine'}, 'width a multiple of 16'),
        ({'position': 'other'}, "'coord', 'learned' or 'sine', got 'other'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


class TestAttention:
    """Against the formula written out, and what it cannot know."""

    def test_layer_by_hand(self):
        torch.manual_seed(0)
        layer, x = AttentionLayer(dim=12, heads=3), torch.rand(2, 5, 12)
        q, k, v = layer.qkv(layer.norm_1(x)).split(12, dim=2)
        heads = []
        for part in (slice(0, 4), slice(4, 8), slice(8, 12)):
            weights = (q[..., part] @ k[..., part].transpose(1, 2) / 2).softmax(-1)
            heads.append(weights @ v[..., part])
        y = x + functional.linear(torch.cat(heads, 2), layer.out.weight, layer.out.bias)
        expected = y + layer.mlp[2](functional.gelu(layer.mlp[0](layer.norm_2(y))))
        torch.testing.assert_close(layer(x), expected)

    def test_tokens_are_rows_after_rows(self):
        torch.manual_seed(0)
        module, x, seen = SelfAttention(8, 1, 2), image(3, 5, 8), []
        module.layers.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
        assert module(x).shape == x.shape
        assert torch.equal(seen[0][:, 7], x[:, :, 1, 2])

    def permuted(self, generator, tokens):
        order = torch.randperm(20, generator=torch.Generator().manual_seed(3))
        attended = generator.attention(tokens).flatten(2)[..., order]
        mixed = tokens.flatten(2)[..., order].unflatten(2, (4, 5))
        return generator, attended, mixed

    def test_without_positions_permuted_tokens_give_permuted_outputs(self):
        generator = small(layers=2)
        torch.nn.init.normal_(generator.projection.weight)
        features, positions = generator.encoder(image()), generator.position(image())
        zero = generator.projection(torch.zeros_like(positions[-1]))
        tokens = features[-1] + zero
        _, attended, mixed = self.permuted(generator, tokens)
        torch.testing.assert_close(generator.attention(mixed).flatten(2), attended)

    def test_with_positions_they_do_not(self):
        generator = small(layers=2)
        torch.nn.init.normal_(generator.projection.weight)
        features, positions = generator.encoder(image()), generator.position(image())
        place = generator.projection(positions[-1])
        _, attended, mixed = self.permuted(generator, features[-1])
        moved = generator.attention(mixed + place).flatten(2)
        assert (moved - attended).abs().max() > 0.1


class TestPositions:
    """Three kinds of maps."""

    def test_coordinates_run_from_minus_one_to_one(self):
        position, seen = build_position('coord', [4, 4], None, {0, 1}), []
        position.pyramid.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
        position(image(8, 12))
        x, y = seen[0][0]
        torch.testing.assert_close(x, torch.linspace(-1, 1, 12).expand(8, 12))
        torch.testing.assert_close(y, torch.linspace(-1, 1, 8)[:, None].expand(8, 12))

    def test_sines_by_hand(self):
        (level_0, level_1) = build_position('sine', [8, 8], None, {0, 1})(image(8, 12))
        assert level_1.shape == (1, 8, 4, 6)
        row, column = 5, 7
        expected = [
            wave(torch.tensor(place * frequency))
            for place in (column, row)
            for wave in (torch.sin, torch.cos)
            for frequency in (1.0, 0.01)
        ]
        torch.testing.assert_close(level_0[0, :, row, column], torch.stack(expected))
        assert not list(build_position('sine', [8], None, {0}).parameters())

    def test_learned_tables_of_used_levels_alone(self):
        generator = small(position='learned', size=(16, 20), spade_levels=(1,))
        assert {name: tuple(p.shape) for name, p in generator.position.named_parameters()} == {
            'tables.1': (1, 2, 8, 10),
            'tables.2': (1, 4, 4, 5),
        }
        assert isinstance(generator.position, LearnedPositions)
        assert generator(image()).shape == (2, 3, 16, 20)

    @pytest.mark.parametrize('options', POSITIONS, ids=lambda o: o['position'])
    @pytest.mark.parametrize('levels', [None, (2, 1), ()])
    def test_gradients_reach_every_parameter(self, options, levels):
        generator, x = small(**options, spade_levels=levels).train(), image().requires_grad_()
        generator(x).square().sum().backward()
        assert x.grad.abs().sum() > 0
        assert all(p.grad is not None for p in generator.parameters())


class TestSpadeLevels:
    """Which levels of the encoder reach the decoder."""

    @pytest.mark.parametrize('levels', [(2, 1, 0), (2, 1), (0,), ()])
    def test_a_level_that_is_left_out_has_no_influence_but_through_the_next(self, levels):
        generator = small(spade_levels=levels)
        for block in generator.decoder:
            if block.norm_1.modulated:
                torch.nn.init.normal_(block.norm_1.modulation.weight)
        tokens = generator.encoder(image())[-1]
        positions = generator.position(image())
        features, changed = ([f.clone() for f in generator.encoder(image(seed=s))] for s in (0, 9))
        for level in range(3):
            mixed = [*features]
            mixed[level] = changed[level]
            same = torch.equal(
                generator._decode(tokens, mixed, positions),
                generator._decode(tokens, features, positions),
            )
            assert same == (level not in levels)

    def test_leaving_out_the_finest_takes_its_parameters_away(self, plain_weights):
        with torch.device('meta'):
            every, coarse = SketchTransformer(), SketchTransformer(spade_levels=(4, 3, 2, 1))
        spade = 92_288 + 2 * 9 * 128 * 128 + 2 * 128
        smaller = 92_288 + 2 * 9 * 128 * 64 + 2 * 64
        assert counted(every) - counted(coarse) == 2 * spade + smaller


def test_initial_weights():
    generator = small()
    for name, parameter in generator.attention.named_parameters():
        if parameter.ndim == 2:
            assert parameter.std().item() == pytest.approx(0.02, rel=0.2), name
            assert parameter.abs().max() <= 2
    conv = SketchTransformer(width=16, patch=4, layers=1).encoder.levels[1][0]
    fans = 16 * 16 + 32 * 16
    assert conv.weight.std().item() == pytest.approx(0.02 * (2 / fans) ** 0.5, rel=0.05)
    assert not conv.bias.any()
    weight = generator.decoder[0].conv_1.weight.flatten(1)
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.1)


def test_state_round_trip_and_independence_of_the_batch():
    first, second = small(), SketchTransformer(**SMALL).eval()
    x = image()
    with torch.no_grad():
        assert not torch.equal(first(x), second(x))
        second.load_state_dict(first.state_dict(), strict=True)
        assert torch.equal(first(x), second(x))
        alone = torch.cat([first(one[None]) for one in x])
    torch.testing.assert_close(first(x), alone, rtol=1e-4, atol=1e-5)


def test_bfloat16_and_channels_last_agree_with_float32():
    generator, x = small(), image()
    with torch.no_grad():
        plain = generator(x)
        generator.to(memory_format=torch.channels_last)
        torch.testing.assert_close(generator(x), plain, rtol=1e-4, atol=1e-5)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            low = generator(x)
    torch.testing.assert_close(low.float(), plain, rtol=0.1, atol=0.05)


@pytest.mark.parametrize('name', ['paired-folder', 'hinge_cufs_photo2sketch'])
def test_train_step_of_the_recipe_has_its_terms_with_their_weights(name):
    spec = recipe(name)
    spec.generator.update(SMALL)
    spec.discriminator.update(width=4, num_layers=1)
    spec.losses.perceptual.update(weights=None, layers={'relu1_1': 0.03125, 'relu2_1': 0.0625})
    model = MODELS.build(spec)
    inputs = model.prepare(model.data_preprocessor(make_batch(n=2, height=32, width=32))['inputs'])
    losses, l1 = model.loss_g(inputs), functional.l1_loss(inputs['fake'], inputs['target'])
    torch.testing.assert_close(losses['pixel'], 10 * l1)
    assert model.losses['perceptual'].weight == 5
    hinge = name.startswith('hinge')
    assert set(losses) == {'gan', 'pixel', 'perceptual'} | ({'features'} if hinge else set())
    logs = model.train_step(make_batch(n=2, height=32, width=32), gan_optimisers(model))
    assert all(torch.isfinite(value) for value in logs.values())
    assert model.gan_loss.d_weight == (1 if hinge else 0.5)


def test_it_is_found_by_name():
    assert GENERATORS.get('SketchTransformer') is SketchTransformer
    assert 'PatchGAN' in DISCRIMINATORS


@pytest.mark.slow
def test_it_learns_four_pairs_by_heart():
    """Photographs and their drawings, 32 x 32: mean |error| below 0.03 in [-1, 1]."""
    torch.manual_seed(0)
    network = SketchTransformer(width=8, patch=4, layers=1, heads=2)
    data = ToyPhotos(task='pencil', size=32, length=4)
    items = [data[index]['inputs'] for index in range(4)]
    source, target = (
        torch.stack([item[name] for item in items]).float() / 127.5 - 1
        for name in ('source', 'target')
    )
    assert functional.l1_loss(torch.zeros_like(target), target) > 0.3
    rate, steps = 5e-3, 360
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.999))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: min(1, 2 * (1 - i / steps)))
    for _ in range(steps):
        loss = functional.l1_loss(network(source), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        assert functional.l1_loss(network.eval()(source), target) < 0.03

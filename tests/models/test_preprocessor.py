"""The way of a batch to the network and back."""

import pytest
import torch
from small_models import GAUSSIAN, make_batch

from noiseedit.errors import ConfigError
from noiseedit.evaluation.saving import to_uint8
from noiseedit.models import EditPreprocessor
from noiseedit.noises import build
from noiseedit.registry import NOISES


def noisy(**changes):
    return EditPreprocessor(noise=dict(train=GAUSSIAN, test=GAUSSIAN, **changes))


def test_eight_bit_becomes_float_in_the_network_range():
    data = make_batch()
    image = data['inputs']['source'].float() / 255
    plain = EditPreprocessor()(data)['inputs']['source']
    signed = EditPreprocessor(value_range='[-1,1]')(data)['inputs']['source']
    torch.testing.assert_close(plain, image)
    torch.testing.assert_close(signed, 2 * image - 1)


@pytest.mark.parametrize('value_range', ['[0,1]', '[-1,1]'])
def test_restore_undoes_normalise_outside_the_range_too(value_range):
    image = torch.linspace(-0.5, 1.5, 60).view(1, 3, 4, 5)
    preprocessor = EditPreprocessor(value_range=value_range)
    torch.testing.assert_close(preprocessor.restore(preprocessor.normalise(image)), image)


def test_the_loaded_batch_is_not_changed():
    data = make_batch()
    before = {name: image.clone() for name, image in data['inputs'].items()}
    preprocessor = noisy()
    loaded = preprocessor.load(data)
    copy = {name: image.clone() for name, image in loaded['inputs'].items()}
    preprocessor.test_batch(loaded, build(GAUSSIAN))
    assert all(torch.equal(data['inputs'][name], before[name]) for name in before)
    assert all(torch.equal(loaded['inputs'][name], copy[name]) for name in copy)
    assert 'input' not in data['data_samples'][0]


def test_clean_set_is_its_own_source_and_only_the_source_gets_noise():
    data = make_batch(names=('target',))
    out = noisy()(data)
    clean = data['inputs']['target'].float() / 255
    assert torch.equal(out['inputs']['target'], clean)
    error = (out['inputs']['source'] - clean).std()
    assert error.item() == pytest.approx(25 / 255, rel=0.1)
    assert torch.equal(out['data_samples'][0].gt, clean[0])
    assert torch.equal(out['data_samples'][1].input, out['inputs']['source'][1])
    assert 'GaussianNoise' in out['data_samples'][0].noise


def test_test_noise_depends_on_key_seed_and_repetition_alone():
    preprocessor, noise = noisy(), build(GAUSSIAN)
    whole = preprocessor.load(make_batch(n=3))
    second = preprocessor.load(
        {
            'inputs': {k: v[1:2] for k, v in make_batch(n=3)['inputs'].items()},
            'data_samples': make_batch(n=3)['data_samples'][1:2],
        }
    )

    def source(batch, **place):
        return preprocessor.test_batch(batch, noise, **place)['inputs']['source']

    assert torch.equal(source(whole)[1], source(second)[0])
    assert torch.equal(source(whole), source(whole, seed=0))
    assert not torch.equal(source(whole), source(whole, seed=1))
    assert not torch.equal(source(whole), source(whole, repetition=1))


def test_training_noise_follows_the_seed_of_the_iteration():
    preprocessor, data = noisy(), make_batch()

    def source(seed):
        preprocessor.seed_iteration(seed)
        return preprocessor(data, training=True)['inputs']['source']

    assert torch.equal(source(1), source(1))
    assert not torch.equal(source(1), source(2))


def test_training_noise_leaves_the_global_stream_alone():
    preprocessor = noisy()
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    preprocessor.seed_iteration(1)
    preprocessor(make_batch(), training=True)
    preprocessor(make_batch())
    assert torch.equal(torch.rand(2), expected)


def test_unseeded_training_noise_is_refused():
    with pytest.raises(RuntimeError, match='seed_iteration'):
        noisy()(make_batch(), training=True)


@pytest.mark.parametrize(('size', 'padded'), [((16, 20), (16, 24)), ((3, 5), (8, 8))])
def test_padding_at_test_time_only(size, padded):
    preprocessor = EditPreprocessor(pad_multiple=8)
    data = make_batch(1, *size)
    assert preprocessor(data)['inputs']['source'].shape[-2:] == padded
    assert preprocessor(data)['data_samples'][0].input.shape[-2:] == size
    assert preprocessor(data, training=True)['inputs']['source'].shape[-2:] == size


def test_the_input_of_a_set_of_noisy_images_is_recorded_before_padding():
    out = EditPreprocessor(pad_multiple=8)(make_batch(1, 3, 5, names=('real',)))
    assert out['inputs']['real'].shape[-2:] == (8, 8)
    assert out['data_samples'][0].input.shape[-2:] == (3, 5)


def test_test_noise_can_be_for_another_input():
    preprocessor, noise = EditPreprocessor(), build(GAUSSIAN)
    loaded = preprocessor.load(make_batch(names=('real',)))
    found = preprocessor.test_batch(loaded, noise, seed=3, repetition=1, target='real')
    expected = noise.per_sample(loaded['inputs']['real'], ['image0', 'image1'], 3, repetition=1)
    assert torch.equal(found['inputs']['real'], expected)


def test_noises_are_not_part_of_the_state():
    preprocessor = EditPreprocessor(noise={'train': 'gni/color', 'test': 'nrgan/A'})
    assert not preprocessor.state_dict()
    assert set(preprocessor.noises) == {'train', 'test'}


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'value_range': '[0,255]'}, r"'\[0,1\]' or '\[-1,1\]', got '\[0,255\]'"),
        ({'noise': {'tran': GAUSSIAN}}, 'unknown keys tran; known: train, test, target, seed'),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        EditPreprocessor(**settings)


def test_noise_for_an_input_that_is_missing_is_refused():
    with pytest.raises(ConfigError, match=r"noise.target='real': the batch has source, target"):
        noisy(target='real')(make_batch())


def test_a_test_batch_without_samples_is_refused():
    with pytest.raises(ConfigError, match='data_samples'):
        EditPreprocessor()({'inputs': make_batch()['inputs']})


def test_noise_of_the_pipeline_stays_on_record():
    data = make_batch()
    data['data_samples'][0].set_metainfo({'noise': 'GaussianNoise(of the pipeline)'})
    samples = EditPreprocessor()(data)['data_samples']
    assert [sample.noise for sample in samples] == ['GaussianNoise(of the pipeline)', 'none']


# Dequantisation.

LEVELS = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


def dequantised(seed=0, training=True, image=LEVELS, **settings):
    preprocessor = EditPreprocessor(value_range='[-1,1]', dequantise=True, **settings)
    preprocessor.seed_iteration(seed)
    samples = make_batch(1)['data_samples'] if not training else None
    batch = {'inputs': {'real': image}, 'data_samples': samples}
    return preprocessor(batch, training=training)['inputs']['real']


def test_a_value_of_eight_bits_becomes_its_step():
    image = LEVELS.expand(400, -1, -1, -1)
    offset = (dequantised(image=image).double() - (LEVELS.double() / 128 - 1)) * 128
    assert offset.min() > -1e-4
    assert offset.max() < 1 + 1e-4
    assert offset.mean().item() == pytest.approx(0.5, abs=0.005)
    assert offset.var().item() == pytest.approx(1 / 12, rel=0.02)
    assert dequantised().max() <= 1


def test_dither_is_drawn_anew_by_iteration_and_input_and_follows_its_seed():
    assert torch.equal(dequantised(seed=1), dequantised(seed=1))
    assert not torch.equal(dequantised(seed=1), dequantised(seed=2))
    preprocessor = EditPreprocessor(dequantise=True)
    preprocessor.seed_iteration(0)
    inputs = preprocessor(make_batch(names=('target',)), training=True)['inputs']
    assert not torch.equal(inputs['target'], inputs['source'])
    preprocessor.seed_iteration(0)
    expected = torch.rand(LEVELS.shape, generator=preprocessor.generator)
    preprocessor.seed_iteration(0)
    found = preprocessor({'inputs': {'real': LEVELS}}, training=True)['inputs']['real']
    torch.testing.assert_close(found, (LEVELS + expected) / 256)


def test_noise_comes_before_dither():
    noise = {'train': {**GAUSSIAN, 'clip': True}, 'target': 'real'}
    image = torch.zeros(8, 1, 16, 16, dtype=torch.uint8)
    found = dequantised(image=image, noise=noise)
    assert found.min() >= -1  # the dither of clipped values stays visible
    assert (found > -1).all()
    assert found.max() > -1 + 3 / 128


def test_the_middle_of_the_step_in_tests():
    expected = LEVELS.float() / 128 - 1 + 1 / 256
    torch.testing.assert_close(dequantised(training=False), expected)


@pytest.mark.parametrize('value_range', ['[0,1]', '[-1,1]'])
def test_restored_images_round_to_the_step_of_the_network_range(value_range):
    edges = torch.arange(257, dtype=torch.float32) / 128 - 1
    near = [edges, edges.nextafter(torch.tensor(2.0)), edges.nextafter(torch.tensor(-2.0))]
    wide = torch.rand(20000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    y = torch.cat([*near, wide]).clamp(-1, 1)
    expected = ((y + 1) * 128).floor().clamp(0, 255).byte()
    preprocessor = EditPreprocessor(value_range=value_range, dequantise=True)
    restored = preprocessor.restore(y if value_range == '[-1,1]' else (y + 1) / 2)
    found = to_uint8(restored.view(1, 1, -1))
    assert torch.equal(torch.from_numpy(found).flatten(), expected)


def test_what_was_dequantised_comes_back_whatever_the_dither():
    preprocessor = EditPreprocessor(value_range='[-1,1]', dequantise=True)
    for training in (True, False):
        restored = preprocessor.restore(dequantised(seed=3, training=training))[0]
        assert torch.equal(torch.from_numpy(to_uint8(restored)).flatten(), LEVELS.flatten())


def test_the_gradient_of_restore_is_that_of_a_straight_line():
    preprocessor = EditPreprocessor(value_range='[-1,1]', dequantise=True)
    y = torch.linspace(-1, 1, 101).requires_grad_()
    preprocessor.restore(y).sum().backward()
    torch.testing.assert_close(y.grad, torch.full((101,), 128 / 255))


def test_training_without_samples():
    batch = {'inputs': make_batch()['inputs'], 'data_samples': None}
    preprocessor = noisy()
    preprocessor.seed_iteration(0)
    assert preprocessor(batch, training=True)['data_samples'] is None
    preprocessor = EditPreprocessor(noise={'train': GAUSSIAN}, noise_pad=False)
    preprocessor.seed_iteration(0)
    with pytest.raises(ConfigError, match=r'noise_pad=False needs data_samples.*samples=True'):
        preprocessor(batch, training=True)


# The level of the noise, for networks that are told.


def with_level(noise, batch=None, training=False, **settings):
    settings = {'noise_level': 'known', **settings}
    preprocessor = EditPreprocessor(noise={'train': noise, 'test': noise}, **settings)
    preprocessor.seed_iteration(0)
    return preprocessor(batch or make_batch(3, names=('target',)), training=training)['inputs']


@pytest.mark.parametrize('training', [True, False])
def test_the_level_of_white_noise_is_its_sigma(training):
    inputs = with_level(GAUSSIAN, training=training)
    torch.testing.assert_close(inputs['level'], torch.full((3, 1, 1, 1), 25 / 255))
    blind = with_level({'type': 'GaussianNoise', 'sigma': (0, 75), 'unit': 255}, training=training)
    measured = (blind['source'] - blind['target']).std((1, 2, 3))
    torch.testing.assert_close(blind['level'].flatten(), measured, rtol=0.1, atol=1e-4)
    assert len(set(blind['level'].flatten().tolist())) == 3


def test_the_level_of_noise_that_depends_on_the_image_is_that_of_the_whole_image():
    noise = {'type': 'PoissonGaussianNoise', 'peak': 30, 'sigma': 10, 'unit': 255}
    inputs = with_level(noise)
    mean = inputs['target'].mean((1, 2, 3))
    expected = (mean / 30 + (10 / 255) ** 2).sqrt()
    torch.testing.assert_close(inputs['level'].flatten(), expected)


def test_the_level_of_noise_without_a_formula_is_measured():
    inputs = with_level({'type': 'GlassBlur', **NOISES.get('GlassBlur').example})
    changed = (inputs['source'] - inputs['target']).square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(inputs['level'].flatten(), changed)


def test_asking_for_the_level_leaves_the_noise_as_it_is():
    plain = noisy()(make_batch())['inputs']
    told = with_level(GAUSSIAN, make_batch())
    assert torch.equal(plain['source'], told['source'])
    assert set(told) - set(plain) == {'level'}


def test_clean_images_without_noise_have_level_zero_and_a_number_is_taken_as_it_is():
    clean = EditPreprocessor(noise_level='known')(make_batch(2, names=('target',)))['inputs']
    assert torch.equal(clean['level'], torch.zeros(2, 1, 1, 1))
    given = EditPreprocessor(noise_level=15, pad_multiple=64)(make_batch(2))['inputs']
    torch.testing.assert_close(given['level'], torch.full((2, 1, 1, 1), 15 / 255))
    told = with_level(GAUSSIAN, make_batch(2), noise_level=15)
    torch.testing.assert_close(told['level'], given['level'])


@pytest.mark.parametrize('training', [True, False])
def test_the_level_of_noisy_files_is_not_guessed(training):
    preprocessor = EditPreprocessor(noise_level='known')
    preprocessor.seed_iteration(0)
    with pytest.raises(ConfigError, match=r'level of these images is not known.*noise_level=15'):
        preprocessor(make_batch(), training=training)


@pytest.mark.parametrize('level', ['blind', -1, float('nan'), True])
def test_a_bad_level_is_refused(level):
    with pytest.raises(
        ConfigError, match="None, 'known', 'estimate' or a number >= 0 of 8-bit units, got"
    ):
        EditPreprocessor(noise_level=level)

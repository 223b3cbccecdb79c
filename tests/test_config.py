"""Configs: inheritance, overrides that refuse misspellings, late binding of the noise."""

from pathlib import Path

import pytest

from noiseedit.config import (
    bind_noise,
    config_path,
    load_config,
    merge_overrides,
    parse_overrides,
    shipped_root,
)
from noiseedit.errors import ConfigError, UnknownNameError

BASE = """
model = dict(type='RestorationModel', generator=dict(type='DnCNN', depth=5))
train_dataloader = dict(dataset=dict(
    pipeline=[dict(type='RandomCrop', size=8), dict(type='NoiseSlot')]))
test_dataloader = dict(dataset=dict(pipeline=[dict(type='NoiseSlot')]))
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
"""
NOISE = """
noise = dict(
    where='{where}', target='source',
    train=dict(type='GaussianNoise', sigma=25, unit=255),
    test=dict(type='GaussianNoise', sigma=50, unit=255))
"""

MEASUREMENT = (
    "noise = dict(where='measurement', train=dict(type='GaussianNoise', sigma=25, unit=255))"
)


@pytest.fixture
def config_file(tmp_path):
    """Write base, mixin and child; return the child's path for a given place."""

    def write(where='batch'):
        (tmp_path / 'base.py').write_text(BASE)
        (tmp_path / 'noise.py').write_text(NOISE.format(where=where))
        child = tmp_path / 'child.py'
        child.write_text("_base_ = ['./base.py', './noise.py']")
        return child

    return write


def test_two_lines_of_inheritance_bind_the_noise(config_file):
    bound = load_config(config_file()).model.data_preprocessor
    assert bound.type == 'EditPreprocessor'
    assert (bound.noise.train.sigma, bound.noise.test.sigma, bound.noise.target) == (
        25,
        50,
        'source',
    )


def test_overrides_reach_the_bound_noise(config_file):
    config = load_config(config_file(), ['noise.train.sigma=40', 'noise.train.clip=True'])
    assert config.model.data_preprocessor.noise.train.sigma == 40
    assert config.model.data_preprocessor.noise.train.clip is True


def test_pipeline_slots_are_filled_and_other_steps_kept(config_file):
    config = load_config(config_file('pipeline'))
    crop, slot = config.train_dataloader.dataset.pipeline
    assert crop.type == 'RandomCrop'
    assert (slot.noise.sigma, slot.key) == (25, 'source')
    assert config.test_dataloader.dataset.pipeline[0].noise.sigma == 50
    assert 'data_preprocessor' not in config.model


def test_measurement_goes_to_the_model(config_file):
    file = config_file('measurement')
    (file.parent / 'noise.py').write_text(MEASUREMENT)
    assert load_config(file).model.measurement.sigma == 25


@pytest.mark.parametrize('where', ['batch', 'pipeline'])
def test_binding_twice_changes_nothing(config_file, where):
    config = load_config(config_file(where))
    text = config.pretty_text
    assert bind_noise(config).pretty_text == text


@pytest.mark.parametrize('where', ['batch', 'pipeline'])
def test_dumped_config_loads_again(config_file, tmp_path, where):
    config = load_config(config_file(where))
    config.dump(tmp_path / 'dumped.py')
    assert load_config(tmp_path / 'dumped.py').pretty_text == config.pretty_text


@pytest.mark.parametrize(
    ('override', 'message'),
    [
        (
            'optim_wrapper.optimiser.lr=1',
            r"no key 'optimiser' in optim_wrapper.*optim_wrapper.optimizer",
        ),
        ('modell.generator=1', r"no key 'modell'\. Nearest keys: model"),
        ('noise.train.sigm=1', r'noise\.train\.sigma'),
        ('model.generator.dept=1', r'model\.generator\.depth'),
        ('train_dataloader.dataset.pipeline.7.size=1', r"no key '7'"),
    ],
)
def test_misspelt_overrides_are_refused_with_the_nearest_keys(config_file, override, message):
    with pytest.raises(UnknownNameError, match=message):
        load_config(config_file(), [override])


def test_constructor_arguments_and_list_items_are_known_keys(config_file):
    config = load_config(
        config_file(),
        {
            'train_dataloader.dataset.pipeline.0.size': 16,
            'optim_wrapper.optimizer.weight_decay': 0.1,
            'model.generator.width': 8,
            '+brand.new': 3,
        },
    )
    assert config.train_dataloader.dataset.pipeline[0].size == 16
    assert config.optim_wrapper.optimizer.weight_decay == 0.1
    assert config.brand.new == 3


def test_override_values_are_parsed():
    parsed = parse_overrides(['a=1', 'b=1e-3', 'c=[1,2]', 'd=None', 'e=(1,2)', 'f=true', 'g=x=y'])
    assert parsed == {'a': 1, 'b': 1e-3, 'c': [1, 2], 'd': None, 'e': (1, 2), 'f': True, 'g': 'x=y'}
    with pytest.raises(ConfigError, match='expected KEY=VALUE'):
        parse_overrides(['no-value'])


def test_noise_argument_takes_presets_and_mixins(config_file):
    preset = load_config(config_file(), noise='nrgan/G').model.data_preprocessor.noise
    assert (preset.train.preset, preset.test.sigma) == ('nrgan/G', 50)
    mixin = load_config(config_file(), noise='gaussian_v0.04').model.data_preprocessor.noise
    assert (mixin.train.variance, mixin.train.unit, mixin.test.sigma) == (0.04, '[-1,1]', 50)
    with pytest.raises(UnknownNameError, match=r'gaussian_v0\.04'):
        load_config(config_file(), noise='gausian_v0.04')


def test_noise_argument_of_the_test_replaces_the_test_noise(config_file):
    def bound(name):
        config = load_config(config_file(), noise=name, noise_for='test')
        return config.model.data_preprocessor.noise

    assert (bound('nrgan/G').test.preset, bound('nrgan/G').train.sigma) == ('nrgan/G', 25)
    assert (bound('gaussian_v0.04').test.variance, bound('awgn15').test.sigma) == (0.04, 15)


def test_preset_keys_can_be_overridden(config_file):
    overrides = ['noise.train.sigma=50', 'noise.test.sigma=9']
    config = load_config(config_file(), overrides, noise='nrgan/A')
    assert config.model.data_preprocessor.noise.train.sigma == 50
    with pytest.raises(UnknownNameError, match=r'noise\.train\.sigma'):
        load_config(config_file(), ['noise.train.sgma=50'], noise='nrgan/A')


def test_two_noises_are_refused(config_file, tmp_path):
    (tmp_path / 'twice.py').write_text("_base_ = ['./child.py', './noise.py']")
    config_file()
    with pytest.raises(ConfigError, match='two bases define the same key'):
        load_config(tmp_path / 'twice.py')


@pytest.mark.parametrize(
    ('noise', 'message'),
    [
        ("dict(where='measurement', test=dict(type='X'))", 'expected noise.train alone'),
        ("dict(wher='batch')", r'noise\.wher: unknown key; nearest: where'),
        ("dict(where='bach')", "expected one of .*got 'bach'"),
    ],
)
def test_malformed_noise_is_refused(tmp_path, noise, message):
    file = tmp_path / 'bad.py'
    file.write_text(f'model = dict()\nnoise = {noise}')
    with pytest.raises(ConfigError, match=message):
        load_config(file)


def test_pipeline_noise_without_a_slot_is_refused(tmp_path):
    file = tmp_path / 'bad.py'
    loader = 'train_dataloader = dict(dataset=dict(pipeline=[]))'
    file.write_text(loader + NOISE.format(where='pipeline'))
    with pytest.raises(ConfigError, match='NoiseSlot'):
        load_config(file)


def test_shipped_configs_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config_path('dncnn/dncnn_gray_awgn25.py').is_file()
    child = tmp_path / 'mine.py'
    base = "_base_ = ['noiseedit::dncnn/dncnn_gray_awgn25.py']"
    child.write_text(base + '\nmodel = dict(generator=dict(depth=3))')
    assert load_config(child).model.generator.depth == 3
    with pytest.raises(UnknownNameError, match=r'dncnn/dncnn_gray_awgn25\.py'):
        load_config('dncnn/dncnn_gray_awgn52.py')


def test_overrides_leave_the_config_alone_when_absent(config_file):
    config = load_config(config_file())
    text = config.pretty_text
    merge_overrides(config, None)
    assert config.pretty_text == text


def test_shipped_folders_exist():
    assert (shipped_root('tools') / 'train.py').is_file()
    assert isinstance(shipped_root(), Path)


def test_an_override_with_a_brace_is_a_literal():
    items = ['model.losses.pixel={"type": "L1Loss", "weight": 2.0}', "+hooks=[{'type': 'X'}]"]
    assert parse_overrides(items) == {
        'model.losses.pixel': {'type': 'L1Loss', 'weight': 2.0},
        '+hooks': [{'type': 'X'}],
    }
    with pytest.raises(ConfigError, match=r'names in quotes'):
        parse_overrides(['model.losses.pixel={type: L1Loss}'])

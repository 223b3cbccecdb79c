import pytest

from noiseedit.advice import write_config
from noiseedit.config import load_config
from noiseedit.errors import ConfigError, UnknownNameError

PLAIN = 'pix2pix/pix2pix_resnet_toy-pencil.py'
NOISY = 'dncnn/dncnn_gray_awgn25.py'


def advice(variance=0.08, value_range='[-1,1]'):
    rule = {'rule': 'average', 'variance': variance}
    return {'rules': [rule], 'recommended': 'average', 'value_range': value_range}


def lines(file):
    return [line for line in file.read_text().splitlines() if not line.startswith('#')]


def test_a_variant_is_two_lines_and_loads(tmp_path):
    file = write_config(advice(), PLAIN, tmp_path)
    assert file.name == 'pix2pix_resnet_toy-pencil_gaussian-v0.08.py'
    assert [line.split(' = ')[0] for line in lines(file)] == ['_base_', 'noise']
    found, baseline = load_config(file), load_config(PLAIN)
    expected = {'type': 'GaussianNoise', 'variance': 0.08, 'unit': '[-1,1]'}
    assert found.noise.train == expected
    assert found.model.data_preprocessor.noise.train == expected
    assert found.model.generator == baseline.model.generator


def test_a_variant_is_what_the_shipped_one_is(tmp_path):
    file = write_config(advice(), PLAIN, tmp_path)
    shipped = load_config('pix2pix/pix2pix_resnet_toy-pencil_gaussian-v0.08.py')
    assert load_config(file).to_dict() == shipped.to_dict()


def test_training_noise_of_the_baseline_is_replaced_and_test_noise_kept(tmp_path):
    file = write_config(advice(0.0416), NOISY, tmp_path)
    found, baseline = load_config(file), load_config(NOISY)
    assert found.noise.train == {'type': 'GaussianNoise', 'variance': 0.0416, 'unit': '[-1,1]'}
    assert found.noise.test == baseline.noise.test


def test_a_baseline_of_ones_own_is_named_by_the_way_to_it(tmp_path):
    baseline = tmp_path / 'mine' / 'base.py'
    baseline.parent.mkdir()
    baseline.write_text(f"_base_ = ['noiseedit::{PLAIN}']\n")
    file = write_config(advice(), baseline, tmp_path / 'out' / 'variant.py')
    assert "_base_ = ['../mine/base.py']" in lines(file)
    assert load_config(file).noise.train.variance == 0.08


@pytest.mark.parametrize(
    ('value_range', 'unit'), [('[0,1]', '[0,1]'), ('[-1,1]', '[-1,1]'), ('uint8', 255)]
)
def test_the_unit_is_the_range(tmp_path, value_range, unit):
    file = write_config(advice(0.5, value_range), PLAIN, tmp_path)
    assert load_config(file).noise.train.unit == unit


@pytest.mark.parametrize(
    'text',
    ['model = dict(', "_base_ = ['./gone.py']\n", 'import os\nmodel = os.environ["NO"]\n', ''],
)
def test_a_baseline_that_does_not_load_is_refused(tmp_path, text):
    baseline = tmp_path / 'broken.py'
    baseline.write_text(text)
    with pytest.raises(ConfigError, match=r'broken\.py'):
        write_config(advice(), baseline, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_other_baselines_that_cannot_get_noise_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match='toy-pencil'):
        write_config(advice(), 'pix2pix/pix2pix_toy.py', tmp_path)
    with pytest.raises(ConfigError, match='variance is 0'):
        write_config(advice(0.0), PLAIN, tmp_path)
    measured = tmp_path / 'measured.py'
    measured.write_text(
        f"_base_ = ['noiseedit::{PLAIN}']\n"
        "noise = dict(where='measurement', train=dict(preset='nrgan/A'))\n"
    )
    with pytest.raises(ConfigError, match='measurement'):
        write_config(advice(), measured, tmp_path)
    own = tmp_path / 'own.py'
    own.write_text(f"_base_ = ['noiseedit::{PLAIN}']\n")
    with pytest.raises(ConfigError, match='baseline itself'):
        write_config(advice(), own, own)

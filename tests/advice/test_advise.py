import json

import numpy as np
import pytest
import torch
from advice_pictures import picture

from noiseedit.advice import advise
from noiseedit.errors import ConfigError, DataError, UnknownNameError
from noiseedit.imaging import write_image
from noiseedit.noises.build import build
from noiseedit.noises.files import corrupt_image
from noiseedit.theory import (
    average_kl,
    break_even_variance,
    clean_variance,
    gaussian_kl,
    minimax_variance,
    patch_spectrum,
)
from noiseedit.theory.patches import patch_statistics

TOP = 0.02


def ask(folder, noise='gaussian', **options):
    level = {} if options.keys() & {'max_sigma', 'deployment'} else {'max_variance': TOP}
    return advise(folder, noise, **{'value_range': '[-1,1]', **level, **options})


def rules(advice):
    return {entry['rule']: entry for entry in advice['rules']}


@pytest.fixture(scope='module')
def gaussian(photos):
    return ask(photos)


KEYS = {
    'format', 'data', 'value_range', 'noise', 'spectrum', 'deployment', 'rules', 'recommended',
    'table', 'warnings', 'limits', 'inputs', 'versions',
}  # fmt: skip
RULE_KEYS = {
    'rule', 'text', 'variance', 'sigma', 'sigma_255', 'clean_cost', 'average_kl', 'worst_kl',
    'break_even', 'break_even_conservative',
}  # fmt: skip


@pytest.mark.parametrize('noise', ['gaussian', 'salt_pepper', 'color'])
def test_an_advice_is_complete_and_strict_json(photos, noise):
    advice = ask(photos, noise)
    assert set(advice) == KEYS
    assert all(set(entry) == RULE_KEYS for entry in advice['rules'])
    assert json.loads(json.dumps(advice, allow_nan=False)) == advice
    assert advice['data']['images'] == 8
    assert advice['data']['patches'] == 8 * 64
    assert len(advice['spectrum']['eigenvalues']) == advice['data']['dimension'] == 64
    assert advice['versions']['noiseedit']
    assert len(advice['limits']) >= 4


def test_white_noise_follows_the_closed_forms(photos, gaussian):
    lam = patch_spectrum(photos)
    np.testing.assert_allclose(gaussian['spectrum']['eigenvalues'], lam)
    found = rules(gaussian)
    expected = {
        'average': TOP / 2,
        'minimax': minimax_variance(lam, TOP),
        'clean': clean_variance(lam, 0.1),
    }
    assert found.keys() == expected.keys()
    for rule, s in expected.items():
        entry = found[rule]
        assert entry['variance'] == pytest.approx(s)
        assert entry['sigma_255'] == pytest.approx(127.5 * entry['sigma'])
        assert entry['clean_cost'] == pytest.approx(gaussian_kl(lam, s, 0) / 64)
        assert entry['average_kl'] == pytest.approx(average_kl(lam, s, TOP) / 64)
        ends = [gaussian_kl(lam, s, e) / 64 for e in (0, TOP)]
        assert entry['worst_kl'] == pytest.approx(max(ends))
        assert entry['break_even'] == pytest.approx(break_even_variance(lam, s))
        assert entry['break_even_conservative'] == pytest.approx(s / 2)


def test_the_table_holds_six_levels_and_four_trainings(gaussian):
    table = gaussian['table']
    np.testing.assert_allclose(table['test_variances'], np.linspace(0, TOP, 6))
    assert table['train_variances'] == [0, TOP / 4, TOP / 2, TOP]
    lam = gaussian['spectrum']['eigenvalues']
    for s, row in zip(table['train_variances'], table['kl_per_dimension'], strict=True):
        expected = [gaussian_kl(lam, s, e) / 64 for e in table['test_variances']]
        np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize('rule', ['average', 'minimax', 'clean'])
def test_the_rule_asked_for_is_recommended(photos, rule):
    advice = ask(photos, rule=rule)
    assert advice['recommended'] == rule
    assert advice['table']['train_variances'][2] == rules(advice)[rule]['variance']


def test_the_budget_is_kept(photos):
    entry = rules(ask(photos, budget=0.25))['clean']
    assert entry['clean_cost'] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ('level', 'value_range', 'variance'),
    [
        ({'max_sigma': 51}, '[-1,1]', 0.16),
        ({'max_sigma': 51}, '[0,1]', 0.04),
        ({'max_sigma': 51}, '255', 51.0**2),
        ({'max_variance': 0.1}, '[-1, 1]', 0.1),
    ],
)
def test_levels_are_converted_to_the_range(photos, level, value_range, variance):
    advice = advise(photos, value_range=value_range, **level)
    assert advice['deployment']['max_variance'] == pytest.approx(variance)
    assert advice['deployment']['mean_variance'] == pytest.approx(variance / 2)
    assert rules(advice)['average']['sigma_255'] == pytest.approx(
        np.sqrt(variance / 2) * 255 / {'[-1,1]': 2, '[0,1]': 1, 'uint8': 255}[advice['value_range']]
    )


# Noise that is not white.


def test_coloured_noise_gets_a_lower_level_and_a_warning(photos):
    advice = ask(photos, 'color_kernel', rule='matched')
    found = rules(advice)
    assert advice['noise']['kind'] == 'coloured'
    assert found['matched']['variance'] < 0.5 * found['average']['variance']
    least = min(entry['average_kl'] for entry in advice['rules'])
    assert found['matched']['average_kl'] == least
    assert any('coloured' in text for text in advice['warnings'])


@pytest.mark.parametrize('noise', ['poisson', 'poisson_gaussian'])
def test_the_average_rule_holds_for_signal_dependent_noise(photos, noise):
    advice = ask(photos, noise)
    found = rules(advice)
    assert advice['noise']['kind'] == 'signal-dependent'
    assert found['matched']['variance'] == pytest.approx(found['average']['variance'], rel=0.03)
    assert any('signal' in text for text in advice['warnings'])


def test_biased_noise_is_general(photos):
    advice = advise(photos, 'salt_pepper', max_sigma=60, value_range='[-1,1]')
    assert advice['noise']['kind'] == 'general'
    assert any('moves the mean' in text for text in advice['warnings'])


@pytest.mark.parametrize('noise', ['color', 'poisson', 'nrgan/F'])
def test_break_even_is_where_both_trainings_are_equal(photos, noise):
    advice = ask(photos, noise)
    chosen = rules(advice)['average']
    table = advice['table']
    losses = np.subtract(table['kl_per_dimension'][2], table['kl_per_dimension'][0])
    crossing = np.interp(0, -losses, table['test_variances'])
    assert chosen['break_even'] == pytest.approx(crossing, rel=1e-6)


def test_no_break_even_is_told_beyond_the_strongest_noise(photos):
    advice = ask(photos, 'JPEGNoise')
    found = [rule['break_even'] for rule in advice['rules']]
    assert all(level is None or level <= TOP for level in found)
    assert None in found


@pytest.mark.parametrize('noise', ['uniform', 'laplace'])
def test_other_white_laws_state_their_gap(photos, noise):
    advice = ask(photos, noise)
    assert advice['noise']['kind'] == 'white'
    assert any(noise in text and 'nats' in text for text in advice['limits'])


# Deployment images and the data themselves.


def test_deployment_images_give_mean_and_largest_level(photos, noisy_photos):
    advice = ask(photos, deployment=noisy_photos)
    found = advice['deployment']
    assert len(found['estimates']) == 5
    np.testing.assert_allclose(found['estimates'], [0.01, 0.02, 0.03, 0.04, 0.05], rtol=0.25)
    assert found['mean_variance'] == pytest.approx(np.mean(found['estimates']))
    assert found['max_variance'] == pytest.approx(np.percentile(found['estimates'], 95))
    assert rules(advice)['average']['variance'] == found['mean_variance']
    lam = advice['spectrum']['eigenvalues']
    costs = [gaussian_kl(lam, found['mean_variance'], e) / 64 for e in found['estimates']]
    assert rules(advice)['average']['average_kl'] == pytest.approx(np.mean(costs))


def test_deployment_noise_that_is_not_white_is_warned_of(photos, noisy_photos, tmp_path):
    white = ask(photos, deployment=noisy_photos)
    assert white['deployment']['half_size_ratio'] == pytest.approx(1, abs=0.3)
    assert not any('averaging 2 x 2' in text for text in white['warnings'])
    for seed in range(4):
        noise = build({'type': 'KernelNoise', 'variance': 0.03, 'unit': '[-1,1]', 'size': 5})
        noisy = corrupt_image(noise, picture(seed, 128), str(seed), 0)
        write_image(tmp_path / f'{seed}.png', noisy)
    coloured = ask(photos, deployment=tmp_path)
    assert coloured['deployment']['mean_variance'] < 0.03 / 4
    assert coloured['deployment']['half_size_ratio'] > 4
    assert any('averaging 2 x 2' in text for text in coloured['warnings'])


def test_images_too_small_for_an_estimate_of_their_noise(tmp_path):
    for index in range(80):
        write_image(tmp_path / f'{index}.png', picture(index, 16))
    advice = ask(tmp_path, patch_size=4)
    assert advice['spectrum']['slope'] is None
    with pytest.raises(DataError, match='too small to estimate noise'):
        ask(tmp_path, patch_size=4, data_noise=True)


def test_noise_in_the_data_is_reported_and_taken_off_when_asked(photos, noisy_photos):
    plain = ask(noisy_photos)
    assert any('noisy themselves' in text for text in plain['warnings'])
    assert plain['spectrum']['noise_variance_removed'] == 0
    corrected = ask(noisy_photos, data_noise=True)
    removed = corrected['spectrum']['noise_variance_removed']
    assert removed == pytest.approx(0.03, rel=0.25)
    assert any('taken off' in text for text in corrected['warnings'])
    assert min(corrected['spectrum']['eigenvalues']) < min(plain['spectrum']['eigenvalues'])
    assert not any('noisy themselves' in text for text in ask(photos)['warnings'])


# Warnings.


def test_an_assumed_range_is_a_warning(photos):
    assert any('range was not given' in text for text in advise(photos, max_sigma=9)['warnings'])
    assert not any('range was not given' in text for text in ask(photos)['warnings'])


def test_the_share_of_pixels_near_the_limits_is_told(photos):
    advice = advise(photos, max_sigma=51, value_range='[-1,1]')
    share = patch_statistics(photos).share_near_limits(advice['deployment']['max_variance'] ** 0.5)
    (text,) = (text for text in advice['warnings'] if 'clipped' in text)
    assert f'{share:.1%}' in text
    assert '0.3408' in text
    assert '-0.3989' in text
    assert not any('clipped' in text for text in ask(photos, max_sigma=5)['warnings'])


def test_few_patches_and_floored_eigenvalues_are_told(photos):
    advice = ask(photos, limit=2)
    assert advice['data']['images'] == 2
    assert any('few patches' in text for text in advice['warnings'])
    joint = ask(photos, channels='rgb', patch_size=4)  # the channels are multiples of each other
    assert joint['spectrum']['floored'] > 0
    assert any('raised' in text for text in joint['warnings'])


def test_no_test_noise_is_a_warning_and_no_training_noise(photos):
    advice = ask(photos, max_sigma=0)
    assert any('0 or unknown' in text for text in advice['warnings'])
    assert rules(advice)['average']['variance'] == rules(advice)['minimax']['variance'] == 0
    assert advice['table']['test_variances'] == [0]


# The same question, the same answer.


def test_numbers_of_numpy_and_torch_are_numbers(photos):
    for number in (np.float32(0.5), torch.tensor(0.5), np.float64(0.5)):
        advice = advise(photos, max_variance=number, value_range='[-1,1]', limit=np.int64(3))
        assert json.loads(json.dumps(advice, allow_nan=False)) == advice
        assert rules(advice)['average']['variance'] == 0.25


def test_workers_and_repetition_do_not_change_the_answer(photos):
    runs = [ask(photos, 'salt_pepper', workers=workers) for workers in (1, 1, 2)]
    for run in runs:
        run['inputs'].pop('workers')
    assert runs[0] == runs[1] == runs[2]


def test_progress_sees_every_stage(photos, noisy_photos):
    seen = []

    def progress(stage, total):
        def wrap(items):
            count = 0
            for item in items:
                count += 1
                yield item
            seen.append((stage, count == total))

        return wrap

    ask(photos, 'color', deployment=noisy_photos, progress=progress)
    assert seen == [('deployment images', True), ('images', True), ('noise', True)]


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({}, 'exactly one.*none'),
        ({'max_sigma': 5, 'max_variance': 0.1}, 'max_sigma and max_variance'),
        ({'max_sigma': -5}, 'max_sigma.*-5'),
        ({'max_sigma': 5, 'value_range': '[-2,2]'}, r'value_range.*\[-2,2\]'),
        ({'max_sigma': 5, 'rule': 'best'}, "rule.*'best'"),
        ({'max_sigma': 5, 'rule': 'matched'}, 'gni/gaussian is white.*average'),
        ({'max_sigma': 0, 'rule': 'matched', 'noise': 'color'}, 'white as far as measured'),
        ({'max_sigma': 1e200}, 'inf'),
        ({'max_sigma': '51'}, 'max_sigma.*51'),
        ({'max_sigma': 5, 'budget': -1}, 'budget.*-1'),
        ({'max_sigma': 5, 'budget': 1e5}, 'budget.*100000 nats'),
        ({'max_sigma': 5, 'limit': 0}, 'limit.*0'),
        ({'max_sigma': 5, 'limit': 2.5}, 'limit.*2.5'),
        ({'max_sigma': 5, 'workers': '2'}, 'workers.*2'),
        ({'max_sigma': 5, 'channels': 'hsv'}, 'hsv'),
        ({'max_sigma': 5, 'patch_size': 1}, 'patch_size'),
        ({'max_sigam': 5}, 'max_sigam.*max_sigma'),
    ],
)
def test_bad_options_are_named(photos, options, text):
    with pytest.raises(ConfigError, match=text):
        advise(photos, **options)


def test_bad_folders_and_noises_are_named(photos, tmp_path):
    with pytest.raises(DataError, match='nowhere'):
        ask(tmp_path / 'nowhere')
    with pytest.raises(DataError, match='nowhere'):
        ask(photos, deployment=tmp_path / 'nowhere')
    with pytest.raises(UnknownNameError, match='gausian'):
        ask(photos, 'gausian')

"""Measured loss against predicted divergence: readings by hand, the script in its short form."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from noiseedit.evaluation.sweep import axes_of, load_sweep
from noiseedit.theory import kl_table

BENCHMARKS = Path(__file__).resolve().parents[2] / 'benchmarks'
EIGENVALUES = 0.25 / np.arange(1, 17) ** 2
TRAIN = np.array([0, 0.02, 0.04, 0.08, 0.16])
TEST = np.array([0, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16])


@pytest.fixture
def readings(monkeypatch):
    return load(monkeypatch, 'theory_readings')


@pytest.fixture
def script(monkeypatch):
    return load(monkeypatch, 'theory_in_practice')


def load(monkeypatch, name):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module(name)


@pytest.fixture
def obedient():
    """Networks whose quality at a level is what noise leaves, less the divergence."""
    return 20 - 30 * TEST - kl_table(EIGENVALUES, TRAIN, TEST)


def test_networks_that_obey_theory_correlate_perfectly(readings, obedient):
    divergence = kl_table(EIGENVALUES, TRAIN, TEST)
    losses = readings.against_matched(TRAIN, TEST, obedient)
    assert readings.rank_correlation(divergence, losses) == (pytest.approx(1), 20)
    assert readings.order_agreement(divergence, readings.against_best(TRAIN, TEST, obedient)) == (
        pytest.approx(1),
        len(TEST),
    )


def test_networks_that_defy_theory_correlate_negatively(readings):
    divergence = kl_table(EIGENVALUES, TRAIN, TEST)
    losses = readings.against_matched(TRAIN, TEST, divergence)
    assert readings.rank_correlation(divergence, losses).correlation == pytest.approx(-1)


def test_matched_loss_is_the_divergence_at_trained_levels_alone(readings, obedient):
    losses = readings.against_matched(TRAIN, TEST, obedient)
    trained = np.isin(TEST, TRAIN)
    other = TRAIN[:, None] != TEST
    assert (np.isfinite(losses) == (trained & other)).all()
    known = np.isfinite(losses)
    np.testing.assert_allclose(losses[known], kl_table(EIGENVALUES, TRAIN, TEST)[known], atol=1e-12)


def test_readings_by_hand(readings):
    train, test = np.array([0.0, 0.1]), np.array([0.0, 0.1, 0.2])
    quality = np.array([[9.0, 5.0, 2.0], [6.0, 7.0, 4.0]])
    nan = np.nan
    expected = {
        'network trained at that level': [[nan, 2, nan], [3, nan, nan]],
        'best network at that level': [[0, 2, 2], [3, 0, 0]],
        'same network at its training level': [[nan, 4, 7], [1, nan, 3]],
        'same network on clean images': [[nan, 4, 7], [nan, -1, 2]],
    }
    for name, read in readings.READINGS.items():
        np.testing.assert_allclose(read(train, test, quality), expected[name], err_msg=name)
    assert readings.break_evens(test, quality) == [pytest.approx(0.06)]
    assert readings.break_evens(test, quality[[1, 1]] + [[1], [0]]) == [None]
    np.testing.assert_allclose(readings.grid_average(test, quality), [5.25, 6])
    assert readings.optima(train, test, quality) == {'average': 0.1, 'minimax': 0.0}


def test_quality_is_higher_where_better_and_in_order_of_levels(readings):
    rows = [
        {'noise': 'gni/gaussian', 'metric': 'LPIPS', 'level': level, 'mean': mean}
        for level, mean in ((0.16, 0.5), (0, 0.1))
    ]
    rows.append({'noise': 'clean', 'metric': 'LPIPS', 'level': None, 'mean': 0.1})
    result = {'metrics': [{'name': 'LPIPS', 'higher_is_better': False}], 'rows': rows}
    found = readings.quality_table([result], 'gni/gaussian', 'LPIPS')
    np.testing.assert_array_equal(found, [[-0.1, -0.5]])


def test_sigma_distance_agrees_with_what_is_said_of_it(readings, script):
    test = np.linspace(0, 0.16, 1601)
    blind = script.predict_blindly(TRAIN, test)
    fine = np.linspace(0, 0.16, 161)
    table = readings.sigma_distance(fine, test)
    assert fine[table.mean(axis=1).argmin()] == pytest.approx(blind['optimum']['average'])
    assert fine[table.max(axis=1).argmin()] == pytest.approx(blind['optimum']['minimax'])
    met = readings.break_evens(test, -blind['table'])
    np.testing.assert_allclose([level for level in met if level], blind['break_even'], atol=1e-4)


def test_prediction_holds_break_even_below_half(script):
    predicted = script.predict(EIGENVALUES, TRAIN, TEST)
    assert (np.array(predicted['break_even']) < predicted['conservative']).all()
    assert predicted['optimum']['average'] == 0.08
    assert predicted['best_trained']['average'] == 0.08
    assert 0 < predicted['optimum']['minimax'] < 0.08


def test_every_trained_level_is_swept(script):
    for plan in (script.FULL, script.SHORT):
        axes = {axis.label: axis.levels for axis in axes_of(load_sweep(plan.sweep))}
        for noise in script.WHITE:
            assert set(plan.train) <= set(axes[noise])
            assert axes[noise] == axes[script.WHITE[0]]


def test_commands_differ_in_the_noise_alone(script, tmp_path):
    clean, noisy = (script.commands(script.FULL, s, tmp_path, 0) for s in (0, 0.02))
    assert not any('noise' in word for command in clean for word in command)
    assert all('noise.train.variance=0.02' in command for command in noisy)
    assert '--seed' in script.commands(script.FULL, 0, tmp_path, 1)[0]


def test_a_sweep_older_than_its_network_is_not_done(script, tmp_path):
    assert not script.is_done(tmp_path, 20)
    for name, age in (('sweep.json', 10), ('iter_20.pth', 20)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    assert not script.is_done(tmp_path, 20)
    os.utime(tmp_path / 'sweep.json', (30, 30))
    assert script.is_done(tmp_path, 20)
    assert not script.is_done(tmp_path, 1500)


@pytest.mark.slow
def test_the_short_form_runs_and_then_has_nothing_left_to_train(script, tmp_path, monkeypatch):
    script_file = BENCHMARKS / 'theory_in_practice.py'
    done = subprocess.run(
        [sys.executable, script_file, '--short', '--work-dir', tmp_path],
        capture_output=True,
        text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout
    assert 'python tools/train.py' in text
    assert '# done before' not in text
    found = json.loads((tmp_path / 'theory_in_practice.json').read_text())
    assert found['train_variances'] == [0, 0.16]
    assert len(found['measured']) == 2 * len(script.WHITE)
    shape = 2, len(found['test_variances'])
    assert np.array(found['predicted']['kl'], float).shape == shape
    for entry in found['measured']:
        assert np.isfinite(np.array(entry['mean']['quality'], float)).all()
        assert np.array(entry['mean']['quality']).shape == shape
        assert [len(entry['seeds']), len(entry['mean']['break_even'])] == [1, 1]
        for rank in entry['mean']['rank'].values():
            assert -1 <= rank['correlation'] <= 1
    assert (tmp_path / 'theory_in_practice.md').read_text() in text
    assert (tmp_path / 'theory_in_practice.png').read_bytes()[:4] == b'\x89PNG'
    monkeypatch.setattr(subprocess, 'run', lambda *a, **k: pytest.fail('nothing is left to run'))
    script.make_networks(script.SHORT, tmp_path, 1)

"""Finished parts are recognised by their settings, and not run again."""

import json

import pytest

from noiseedit.errors import ConfigError, MissingWeightsError
from noiseedit.study import parts
from noiseedit.study.markers import mark, state_of
from noiseedit.study.parts import Part, run_parts


@pytest.fixture
def ran(monkeypatch):
    """Run nothing, but note each step and make the file that it would make."""
    steps = []

    def run(step):
        steps.append(step)
        if 'fails' in step:
            raise SystemExit(3)
        (step[1] / step[2]).touch()

    monkeypatch.setattr(parts, 'run_step', run)
    monkeypatch.setattr(parts, 'step_text', lambda step: f'python tools/{step[0]}')
    return steps


def make_parts(folder, iters=10, levels=(1, 2)):
    config = {'train_cfg': {'max_iters': iters}}
    training = Part(
        ['train.py', folder, 'last_checkpoint'], folder, 'train', 'last_checkpoint', config
    )
    settings = {**config, 'sweep': {'levels': list(levels)}}
    return [
        training,
        Part(['test.py', folder, 'sweep.json'], folder, 'sweep', 'sweep.json', settings),
    ]


def tools(steps):
    return [step[0] for step in steps]


def test_a_second_run_does_nothing_and_says_so(ran, tmp_path, capsys):
    run_parts(make_parts(tmp_path))
    assert tools(ran) == ['train.py', 'test.py']
    assert 'done before' not in capsys.readouterr().out
    run_parts(make_parts(tmp_path))
    assert len(ran) == 2
    assert capsys.readouterr().out.count('# done before') == 2


def test_an_interrupted_study_continues_with_the_part_that_failed(ran, tmp_path):
    first, second = make_parts(tmp_path)
    failing = Part([*second.step, 'fails'], *list(second.__dict__.values())[1:])
    with pytest.raises(SystemExit):
        run_parts([first, failing])
    assert json.loads(failing.marker.read_text())['done'] is False
    run_parts([first, second])
    assert tools(ran) == ['train.py', 'test.py', 'test.py']


def test_a_sweep_with_other_levels_runs_again_a_training_does_not(ran, tmp_path):
    run_parts(make_parts(tmp_path))
    run_parts(make_parts(tmp_path, levels=(1, 2, 3)))
    assert tools(ran) == ['train.py', 'test.py', 'test.py']


def test_a_result_that_is_gone_is_made_again(ran, tmp_path):
    run_parts(make_parts(tmp_path))
    (tmp_path / 'sweep.json').unlink()
    run_parts(make_parts(tmp_path))
    assert tools(ran) == ['train.py', 'test.py', 'test.py']


def test_a_training_of_other_settings_is_refused_before_anything_runs(ran, tmp_path):
    run_parts(make_parts(tmp_path))
    with pytest.raises(ConfigError, match=r'train_cfg\.max_iters: 10 -> 20'):
        run_parts(make_parts(tmp_path, iters=20))
    assert len(ran) == 2


def test_a_training_of_unknown_origin_is_refused(ran, tmp_path):
    (tmp_path / 'last_checkpoint').touch()
    with pytest.raises(ConfigError, match='no study began'):
        run_parts(make_parts(tmp_path))
    assert not ran


def test_missing_weights_of_a_metric_are_found_before_anything_runs(ran, tmp_path, monkeypatch):
    monkeypatch.setattr('torch.hub.get_dir', lambda: str(tmp_path / 'hub'))
    training, sweep = make_parts(tmp_path)
    config = {'test_evaluator': [{'type': 'PSNR'}, {'type': 'FID'}]}
    sweep = Part(sweep.step, tmp_path, 'sweep', 'sweep.json', {**sweep.settings, 'config': config})
    with pytest.raises(MissingWeightsError, match='pt_inception'):
        run_parts([training, sweep])
    assert not ran
    mark(sweep.marker, sweep.settings, done=True)
    (tmp_path / 'sweep.json').touch()
    run_parts([training, sweep])
    assert tools(ran) == ['train.py']


def test_states(tmp_path):
    marker, output = tmp_path / 'marker', tmp_path / 'out'
    settings = {'a': (1, 2), 'b': None}
    assert state_of(marker, settings, output) == 'new'
    mark(marker, settings, done=False)
    assert state_of(marker, settings, output) == 'begun'
    mark(marker, settings, done=True)
    assert state_of(marker, settings, output) == 'begun'  # its file is missing
    output.touch()
    assert state_of(marker, {'b': None, 'a': [1, 2]}, output) == 'done'
    assert state_of(marker, {**settings, 'c': 0}, output) == 'other'
    marker.write_text('{"done": tr')
    with pytest.raises(ConfigError, match='no marker of a study'):
        state_of(marker, settings, output)

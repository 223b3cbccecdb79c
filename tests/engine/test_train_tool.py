"""The train tool and what all command lines share."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import engine_toy as toy
import pytest

from noiseedit import cli
from noiseedit.errors import ConfigError, DataError

ROOT = Path(__file__).resolve().parents[2]


def train_tool(*arguments, code=0):
    environment = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join((str(ROOT), str(Path(__file__).parent))),
    }
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / 'train.py', *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done


@pytest.fixture
def config_file(tmp_path):
    """Write the toy config as a file that imports the toy world."""
    settings = toy.config(tmp_path / 'run', iters=2)
    text = "custom_imports = dict(imports=['engine_toy'], allow_failed_imports=False)\n"
    file = tmp_path / 'toy_config.py'
    file.write_text(text + ''.join(f'{key} = {value!r}\n' for key, value in settings.items()))
    return file


def test_train_resume_and_amp(config_file, tmp_path, monkeypatch, capsys):
    def train(*arguments):
        arguments = (
            'train.py',
            config_file,
            '--resume',
            '--work-dir',
            tmp_path / 'out',
            *arguments,
        )
        monkeypatch.setattr(sys, 'argv', [str(argument) for argument in arguments])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(ROOT / 'tools' / 'train.py'), run_name='__main__')
        assert stop.value.code == 0
        return capsys.readouterr().out

    train('--seed', 5, '--amp')
    name = 'experiment_name=again'  # two runs of one name in one second are one to MMEngine
    out = train('--cfg-options', 'train_cfg.max_iters=4', 'log_level=INFO', f'+{name}')
    assert 'resumed at iteration 2' in out
    assert 'gives way to 5' in out
    assert (tmp_path / 'out' / 'iter_4.pth').exists()


def test_print_config_shows_the_bound_noise_without_torch(tmp_path):
    file = tmp_path / 'c.py'
    file.write_text(
        "model = dict(type='X')\nnoise = dict(train=dict(type='GaussianNoise', sigma=7))\n"
    )
    script = (
        'import sys, runpy\n'
        f'sys.argv = ["train.py", {str(file)!r}, "--print-config", "--no-plugins"]\n'
        'try:\n'
        f'    runpy.run_path({str(ROOT / "tools" / "train.py")!r}, run_name="__main__")\n'
        'finally:\n'
        '    print("torch loaded:", "torch" in sys.modules)\n'
    )
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(
        [sys.executable, '-c', script], env=environment, capture_output=True, text=True
    )
    assert 'torch loaded: False' in done.stdout
    assert done.stdout.count('sigma=7') == 2  # noise and its bound place


def test_help_loads_nothing_heavy():
    script = (
        'import sys, runpy\n'
        'sys.argv = ["train.py", "--help"]\n'
        'try:\n'
        f'    runpy.run_path({str(ROOT / "tools" / "train.py")!r}, run_name="__main__")\n'
        'finally:\n'
        '    print({"torch", "mmengine", "numpy"} & set(sys.modules))\n'
    )
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(
        [sys.executable, '-c', script], env=environment, capture_output=True, text=True
    )
    assert 'set()' in done.stdout
    for option in (
        '--work-dir',
        '--resume',
        '--amp',
        '--noise',
        '--trust-checkpoint',
        '--launcher',
    ):
        assert option in done.stdout


def test_errors_are_one_clean_message(tmp_path):
    done = train_tool(tmp_path / 'missing.py', code=2)
    assert done.stderr.startswith('error: config ')
    assert 'Traceback' not in done.stderr


def test_exit_codes(capsys):
    def fails(error):
        def main():
            raise error

        return main

    for main, code in (
        (lambda: None, 0),
        (lambda: 3, 3),
        (fails(DataError('bad')), 2),
        (fails(KeyboardInterrupt()), 130),
    ):
        with pytest.raises(SystemExit) as stop:
            cli.run(main)
        assert stop.value.code == code
    assert 'error: bad' in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):  # a bug keeps its traceback
        cli.run(fails(ZeroDivisionError()))


def test_an_error_of_a_worker_shows_its_message_only():
    wrapped = DataError(
        'Caught DataError in DataLoader worker process 0.\nOriginal Traceback (most recent call '
        'last):\n  File "x.py", line 1\nnoiseedit.errors.DataError: a.png: truncated\n'
    )
    assert cli.error_text(wrapped) == 'a.png: truncated'
    assert cli.error_text(DataError('plain')) == 'plain'


@pytest.mark.parametrize(('device', 'visible'), [('cpu', '-1'), ('cuda:2', '2')])
def test_device_choice(monkeypatch, device, visible):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '7')
    cli.select_device(device)
    assert os.environ['CUDA_VISIBLE_DEVICES'] == visible
    with pytest.raises(ConfigError, match='--device'):
        cli.select_device('gpu')

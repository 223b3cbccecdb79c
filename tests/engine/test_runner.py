"""The runner's surroundings: defaults, console, trackers, MMEngine's gaps, the command line."""

import os
import runpy
import subprocess
import sys
import time
from pathlib import Path

import engine_toy as toy
import mmengine.runner.checkpoint as stock_checkpoint
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import IterBasedTrainLoop, Runner

from noiseedit import cli
from noiseedit.config import bind_noise, shipped_root
from noiseedit.engine import NoiseRunner, build_runner, compat, init_worker
from noiseedit.engine.history import BoundedHistory
from noiseedit.engine.tracking import check_trackers
from noiseedit.errors import CheckpointError, ConfigError, DataError, MissingExtraError

ROOT = Path(__file__).resolve().parents[2]


# Defaults.


def test_default_runtime_builds_and_trains(tmp_path):
    runtime = Config.fromfile(shipped_root() / '_base_' / 'default_runtime.py', lazy_import=False)
    settings = toy.config(tmp_path, iters=4)
    for key in ('default_hooks', 'log_processor', 'log_level', 'custom_hooks'):
        settings.pop(key)
    built = toy.train({**runtime.to_dict(), **settings})
    names = [type(hook).__name__ for hook in built.hooks]
    assert {'NaNGuardHook', 'IterSeedHook', 'CheckpointHook', 'ProgressHook'} <= set(names)
    assert names[0] == 'NaNGuardHook'
    assert (tmp_path / 'iter_4.pth').exists()


@pytest.mark.parametrize('name', ['adam_100k', 'gan_adam_100k'])
def test_schedules_state_their_end(name):
    file = shipped_root() / '_base_' / 'schedules' / f'{name}.py'
    schedule = Config.fromfile(file, lazy_import=False)
    groups = schedule.param_scheduler
    groups = groups.values() if isinstance(groups, dict) else [groups]
    assert all('end' in scheduler for group in groups for scheduler in group)


def test_seed_and_scope_have_defaults(tmp_path):
    settings = toy.config(tmp_path)
    settings.pop('default_scope')
    built = toy.runner(settings)
    assert (built.seed, str(built.default_scope.scope_name)) == (0, 'noiseedit')


def test_the_seed_reaches_data_set_and_sampler_unless_the_set_has_its_own(tmp_path):
    built = toy.runner(toy.config(tmp_path, randomness={'seed': 11}))
    loader = built.train_dataloader
    assert (loader.dataset.seed, loader.sampler.seed) == (11, 11)
    assert loader.sampler.infinite
    settings = toy.config(tmp_path, randomness={'seed': 11})
    settings['train_dataloader']['dataset']['seed'] = 5
    loader = toy.runner(settings).train_dataloader
    assert (loader.dataset.seed, loader.sampler.seed) == (5, 11)


def test_worker_settings_without_workers_are_no_error(tmp_path):
    settings = toy.config(tmp_path)
    settings['train_dataloader'] |= {'persistent_workers': True, 'prefetch_factor': 4}
    assert toy.runner(settings).train_dataloader.num_workers == 0


def test_a_worker_has_one_thread_and_hashed_seeds():
    """In a process of its own: thread counts and seeds are global."""
    import multiprocessing

    def report(queue, worker):
        import cv2
        import numpy as np

        init_worker(worker, seed=1, rank=0)
        queue.put(
            (torch.get_num_threads(), cv2.getNumThreads(), np.random.rand(), torch.rand(1).item())
        )

    context = multiprocessing.get_context('fork')
    results = []
    for worker in (0, 1, 0):
        queue = context.Queue()
        process = context.Process(target=report, args=(queue, worker))
        process.start()
        results.append(queue.get(timeout=60))
        process.join()
    assert results[0][:2] == (1, 1)
    assert results[0] == results[2]
    assert results[0][2] != results[1][2]
    assert results[0][3] != results[1][3]


def test_training_never_sleeps(tmp_path, monkeypatch):
    """MMEngine's loop sleeps two seconds whenever a finite loader ends: here, after every batch."""
    slept = []
    monkeypatch.setattr(time, 'sleep', slept.append)
    settings = toy.config(tmp_path, iters=8, model=None)
    settings['train_dataloader'] |= {'batch_size': 6, 'sampler': {'type': 'DefaultSampler'}}
    toy.train(settings)
    assert slept == []


def test_by_epoch_false_means_our_loop(tmp_path):
    settings = toy.config(tmp_path, train_cfg={'by_epoch': False, 'max_iters': 2})
    assert type(toy.train(settings).train_loop).__name__ == 'IterTrainLoop'


@pytest.mark.parametrize(
    'cfg', [{'max_iters': 0}, {'max_iters': 2.5}, {'max_iters': 2, 'val_interval': 0}]
)
def test_lengths_that_make_no_sense(tmp_path, cfg):
    with pytest.raises(ConfigError, match='expected a positive integer'):
        toy.train(toy.config(tmp_path, train_cfg={'type': 'IterTrainLoop', **cfg}))


def test_the_console_is_short_and_says_where_results_are(tmp_path, capsys):
    toy.train(toy.config(tmp_path, iters=2, log_level='INFO'))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 12
    assert sum(f'results: {tmp_path}' in line for line in lines) == 2
    assert 'seed 0' in lines[0]


def test_a_runner_of_another_kind_is_refused(tmp_path):
    settings = Config({**toy.config(tmp_path), 'runner_type': 'Runner'})
    with pytest.raises(ConfigError, match='runner_type'):
        build_runner(settings)


def test_trust_comes_from_the_flag_alone(tmp_path):
    settings = toy.config(tmp_path, trust_checkpoint=True)
    assert toy.runner(settings).trust_checkpoint is False
    named = bind_noise(Config({**settings, 'experiment_name': 'trusted'}))
    assert build_runner(named, trust_checkpoint=True).trust_checkpoint is True


def test_load_from_is_strict_unless_the_config_says_otherwise(tmp_path):
    toy.train(toy.config(tmp_path / 'a', iters=4))
    smaller = toy.gan() | {'conditional': False}
    smaller['discriminator'] = {'type': 'engine_toy.ToyDiscriminator', 'channels': 3}
    settings = toy.config(
        tmp_path / 'b', iters=1, model=smaller, load_from=str(tmp_path / 'a' / 'iter_4.pth')
    )
    with pytest.raises(CheckpointError, match='do not fit'):
        toy.train(settings)
    toy.train(settings | {'load_strict': False, 'custom_hooks': []})


# Trackers.


def test_tensorboard_by_one_line(tmp_path):
    backends = [{'type': 'LocalVisBackend'}, {'type': 'TensorboardVisBackend'}]
    settings = toy.config(
        tmp_path, iters=2, visualizer={'type': 'Visualizer', 'vis_backends': backends}
    )
    settings['default_hooks']['logger'] = {'type': 'LoggerHook', 'interval': 1}
    toy.train(settings)
    events = list(tmp_path.rglob('events.out.tfevents.*'))
    assert len(events) == 1
    assert events[0].stat().st_size > 200


def test_a_missing_tracker_names_the_command(monkeypatch, tmp_path):
    from noiseedit.engine import tracking

    monkeypatch.setattr(tracking, 'find_spec', lambda name: None)
    for kind, package in tracking.PACKAGES.items():
        visualizer = {'type': 'Visualizer', 'vis_backends': [{'type': kind}]}
        with pytest.raises(MissingExtraError, match=f'pip install {package}'):
            toy.runner(toy.config(tmp_path, visualizer=visualizer))


def test_a_tracker_listed_twice():
    with pytest.raises(ConfigError, match='LocalVisBackend is listed twice'):
        check_trackers({'vis_backends': [{'type': 'LocalVisBackend'}] * 2})


# MMEngine's gaps: each test shows that the repair is still needed, or harmless.


def test_stock_runner_cannot_resume_its_own_file(tmp_path):
    """Why checkpoints are plain: what MMEngine saves, it cannot read with torch's default."""
    torch.save({'loss': HistoryBuffer([1.0], [1])}, tmp_path / 'stock.pth')
    with pytest.raises(Exception, match='HistoryBuffer'):
        torch.load(tmp_path / 'stock.pth', weights_only=True)


def test_stock_loop_starts_its_iterator_before_a_resume():
    import inspect

    assert '_InfiniteDataloaderIterator(' in inspect.getsource(IterBasedTrainLoop.__init__)


def test_mmengines_own_loader_runs_no_code(tmp_path):
    from test_checkpoint import Malicious

    torch.save({'x': Malicious(tmp_path / 'executed')}, tmp_path / 'bad.pth')
    with pytest.raises(CheckpointError, match='holds code'):
        stock_checkpoint.CheckpointLoader.load_checkpoint(str(tmp_path / 'bad.pth'))
    assert not (tmp_path / 'executed').exists()


def test_urls_are_read_without_code(monkeypatch):
    asked = {}
    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', lambda url, **how: asked.update(how))
    stock_checkpoint.CheckpointLoader.load_checkpoint('https://example.org/x.pth')
    assert asked['weights_only'] is True


def test_histories_stay_short():
    compat.apply()
    compat.apply()  # twice is as good as once
    hub = MessageHub('bounded')
    for value in range(2500):
        hub.update_scalar('x', float(value))
    assert type(hub.get_scalar('x')) is BoundedHistory
    assert hub.get_scalar('x').data[0].tolist() == list(range(1500, 2500))
    assert HistoryBuffer().max_length == 1_000_000  # the repair is still needed


@pytest.mark.parametrize('length', [1, 9, 10, 11, 20, 37])
def test_bounded_history_is_the_stock_one(length):
    stock, own = HistoryBuffer(max_length=10), BoundedHistory(max_length=10)
    for value in range(length):
        stock.update(value / 3, 1 + value % 2)
        own.update(value / 3, 1 + value % 2)
    for window in (1, 4, 10):
        for statistic in ('mean', 'min', 'max'):
            assert own.statistics(statistic, window) == stock.statistics(statistic, window)
    assert own.current() == stock.current()
    again = BoundedHistory(*(part.tolist() for part in own.data), max_length=10)
    assert again.mean() == stock.mean()


def test_a_config_is_formatted_once(monkeypatch):
    from yapf.yapflib import yapf_api

    calls = []
    original = yapf_api.FormatCode
    monkeypatch.setattr(
        yapf_api, 'FormatCode', lambda *a, **k: calls.append(1) or original(*a, **k)
    )
    config = Config({'a': 1, 'only_here': {'b': [1, 2]}})
    assert config.pretty_text == config.pretty_text
    assert len(calls) == 1
    config.a = 2
    assert 'a = 2' in config.pretty_text


def test_matplotlib_is_loaded_only_to_draw(tmp_path):
    import numpy as np

    visualizer = toy.runner(toy.config(tmp_path)).visualizer
    assert visualizer.ax_save is None
    visualizer.add_image('noise', np.zeros((8, 8, 3), np.uint8))
    assert visualizer.ax_save is None
    visualizer.set_image(np.full((8, 8, 3), 200, np.uint8))
    assert visualizer.get_image().shape == (8, 8, 3)


def test_new_pythons_find_mmcv(monkeypatch):
    assert compat.mmcv_full_available() is False  # mmcv-lite, or none
    import mmengine.model.utils as utils

    monkeypatch.setattr(utils, 'mmcv_full_available', utils.mmcv_full_available)
    compat.find_mmcv_on_new_python()
    assert utils.mmcv_full_available is compat.mmcv_full_available


def test_stock_launcher_needs_a_gpu():
    """Why processes are started here: MMEngine's start-up calls CUDA without asking."""
    import inspect

    from mmengine.dist import utils

    source = inspect.getsource(utils._init_dist_pytorch)
    assert 'torch.cuda.set_device(local_rank)' in source


def test_it_is_a_runner():
    assert issubclass(NoiseRunner, Runner)


# Command line.


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

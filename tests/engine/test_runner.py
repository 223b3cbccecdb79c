"""The runner's surroundings: defaults, console, trackers."""

import time
from pathlib import Path

import engine_toy as toy
import pytest
import torch
from mmengine.config import Config

from noiseedit.config import bind_noise, shipped_root
from noiseedit.engine import build_runner, init_worker
from noiseedit.engine.tracking import check_trackers
from noiseedit.errors import CheckpointError, ConfigError, MissingExtraError

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

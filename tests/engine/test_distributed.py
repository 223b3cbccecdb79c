"""Two gloo processes on a CPU: equal weights, averaged gradients, plain files, own noise."""

import multiprocessing
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import engine_toy as toy
import pytest
import torch
from torch import nn

from noiseedit.engine.checkpoint import load_checkpoint
from noiseedit.engine.distributed import ChildrenDDP, init_processes
from noiseedit.engine.weights import unwrapped
from noiseedit.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


class Watch(toy.Hook):
    """Note what the noise of every iteration was seeded with."""

    def __init__(self):
        self.noise = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.noise.append(runner.model.module.data_preprocessor.generator.initial_seed())


def train_as_rank(rank, port, folder):
    """Join a group of two and train; runs in a process of its own."""
    os.environ |= {'RANK': str(rank), 'LOCAL_RANK': str(rank), 'WORLD_SIZE': '2'}
    os.environ |= {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}

    def train(name, **more):
        watch = Watch()
        runner = toy.train(toy.config(folder / name, launcher='pytorch', **more), watch)
        with unwrapped(runner.model) as model:
            state = {key: value.clone() for key, value in model.state_dict().items()}
        torch.save({'state': state, 'noise': watch.noise}, folder / f'{name}_rank{rank}.pt')

    train('straight', iters=6, val=True)
    train('split', iters=4, val=True)
    train('split', iters=6, val=True, resume=True)
    train('accumulated', iters=4, accumulate=2)
    train('plain', iters=1, **toy.deterministic())
    torch.distributed.destroy_process_group()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Train once in two processes."""
    folder = tmp_path_factory.mktemp('ddp')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context('fork')
    ranks = [context.Process(target=train_as_rank, args=(r, port, folder)) for r in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(timeout=300)
        process.kill()
    assert [process.exitcode for process in ranks] == [0, 0]
    return folder


def ranks(folder, name):
    return [torch.load(folder / f'{name}_rank{rank}.pt') for rank in (0, 1)]


def differing(one, other):
    return [name for name, tensor in one.items() if not torch.equal(tensor, other[name])]


@pytest.mark.parametrize('name', ['straight', 'accumulated'])
def test_ranks_end_with_equal_weights_and_drew_other_noise(folder, name):
    first, second = ranks(folder, name)
    assert differing(first['state'], second['state']) == []
    assert not set(first['noise']) & set(second['noise'])


def test_a_resume_of_two_processes_is_exact(folder):
    for straight, split in zip(ranks(folder, 'straight'), ranks(folder, 'split'), strict=True):
        assert differing(straight['state'], split['state']) == []


def test_two_processes_equal_one_with_the_double_batch(folder, tmp_path):
    """One step of plain SGD on both networks: equal weights mean equal averaged gradients."""
    settings = toy.config(tmp_path, iters=1, **toy.deterministic())
    settings['train_dataloader']['batch_size'] = 4
    toy.train(settings)
    single = load_checkpoint(tmp_path / 'iter_1.pth')['state_dict']
    averaged = ranks(folder, 'plain')[0]['state']
    assert single.keys() == averaged.keys()
    for name, tensor in single.items():
        torch.testing.assert_close(averaged[name], tensor, atol=1e-6, rtol=1e-5, msg=name)


def test_saved_by_two_processes_loaded_by_one(folder, tmp_path):
    file = folder / 'straight' / 'iter_6.pth'
    checkpoint = load_checkpoint(file)
    assert not any('module.' in key for key in checkpoint['state_dict'])
    assert not any('module.' in key for key in checkpoint['ema_state_dict'])
    settings = toy.config(tmp_path, iters=8, resume=True, load_from=str(file))
    assert toy.train(settings).iter == 8
    assert (tmp_path / 'iter_8.pth').exists()


@pytest.mark.slow
def test_dist_train_script(tmp_path):
    """The shell script, torchrun, the train tool and the runner, with two processes."""
    config = tmp_path / 'toy_config.py'
    settings = toy.config(tmp_path / 'run', iters=4)
    text = "custom_imports = dict(imports=['engine_toy'], allow_failed_imports=False)\n"
    config.write_text(text + ''.join(f'{key} = {value!r}\n' for key, value in settings.items()))
    paths = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    environment = {**os.environ, 'PYTHONPATH': paths, 'PYTHON': sys.executable}
    environment |= {'MASTER_PORT': '29617', 'CUDA_VISIBLE_DEVICES': '-1'}
    script = ROOT / 'tools' / 'dist_train.sh'
    done = subprocess.run(
        ['bash', script, config, '2'], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert load_checkpoint(tmp_path / 'run' / 'iter_4.pth')['meta']['world_size'] == 2


def test_scripts_explain_themselves():
    for name in ('dist_train.sh', 'dist_test.sh', 'slurm_train.sh'):
        script = ROOT / 'tools' / name
        assert subprocess.run(['bash', '-n', script], check=False).returncode == 0
        done = subprocess.run(['bash', script], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert re.search(rf'tools/{re.escape(name)} ', done.stderr)


def test_launchers_that_did_not_launch_are_named(monkeypatch):
    for variable in ('RANK', 'WORLD_SIZE', 'MASTER_ADDR'):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError, match='RANK, WORLD_SIZE, MASTER_ADDR not set'):
        init_processes('pytorch')
    with pytest.raises(ConfigError, match='expected pytorch, slurm, mpi'):
        init_processes('ssh')


def test_parameters_that_would_not_be_averaged_are_refused():
    model = nn.Module()
    model.loose = nn.Parameter(torch.ones(1))
    model.generators = nn.ModuleDict({'a': nn.Linear(1, 1)})
    with pytest.raises(ConfigError, match='loose, generators would not be averaged'):
        ChildrenDDP(model)

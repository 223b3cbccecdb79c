"""NoiseTransfer in the runner: the small recipe, exact resume, two processes as one."""

import multiprocessing
import os
import socket

import numpy as np
import pytest
import torch
from transfer_models import NAMES, make_batch, make_transfer, sgd

from noiseedit.config import load_config
from noiseedit.engine import build_runner
from noiseedit.engine.checkpoint import load_checkpoint
from noiseedit.engine.distributed import ChildrenDDP, init_processes
from noiseedit.engine.weights import unwrapped
from noiseedit.imaging import write_image
from noiseedit.inference.noise_transfer import load_networks
from noiseedit.models.preprocessor import EditPreprocessor
from noiseedit.noises.random import SampleStreams
from noiseedit.registry import DATASETS

RECIPES = 'div2k-sidd', 'synthetic-folder', 'paired-folder', 'small_cc15'


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Go to a folder with the data of the small recipe in miniature."""
    rng = np.random.default_rng(0)
    names = [f'{camera}_iso3200_{n}' for camera in ('d600', 'd800', '5dmark3') for n in (1, 2)]
    for name in names:
        for end, low in (('mean', 100), ('real', 90)):
            image = rng.integers(low, 120, (48, 56, 3), dtype=np.uint8)
            write_image(tmp_path / f'data/CC15/{name}_{end}.png', image)
    for number in range(3):
        image = rng.integers(0, 255, (50, 60, 3), dtype=np.uint8)
        write_image(tmp_path / f'data/CBSD68/{number}.png', image)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(folder, iters, name, **changes):
    """Train the small recipe, smaller still; return its last checkpoint."""
    real = 'train_dataloader.dataset.datasets.1.dataset.check_count'
    settings = {
        'model.generator.width': 4,
        'model.discriminator.width': 4,
        'model.queue_size': 6,
        'train_cfg.max_iters': iters,
        'train_dataloader.batch_size': 2,
        'train_dataloader.num_workers': 0,
        f'+{real}': False,
        '+test_dataloader.dataset.check_count': False,
        '+val_dataloader.dataset.check_count': False,
        'default_hooks.checkpoint.interval': 2,
        'log_level': 'WARNING',
        '+work_dir': str(folder / name),
        '+experiment_name': f'{name}{iters}',
        'custom_hooks': [{'type': 'ModuleEMAHook', 'decay': 0.5}],
        **changes,
    }
    runner = build_runner(load_config('noise_transfer/noise_transfer_small_cc15.py', settings))
    runner.train()
    return load_checkpoint(folder / name / f'iter_{iters}.pth'), runner


@pytest.mark.slow
def test_a_resumed_run_ends_bit_for_bit_as_one_without_a_break(data):
    straight, _ = train(data, 4, 'straight')
    train(data, 2, 'split')
    resumed, runner = train(data, 4, 'split', resume=True)
    states = straight['state_dict'], resumed['state_dict']
    assert states[0].keys() == states[1].keys()
    assert [
        name for name, value in states[0].items() if not torch.equal(value, states[1][name])
    ] == []
    assert states[0]['queue_pointer'] == 2  # 4 batches of 2 in a queue of 6
    averages = straight['ema_state_dict'], resumed['ema_state_dict']
    assert {name for name in states[0] if name.startswith('generator.')} == set(averages[0])
    assert all(torch.equal(value, averages[1][name]) for name, value in averages[0].items())
    assert not all(torch.equal(value, states[0][name]) for name, value in averages[0].items())
    networks = load_networks(data / 'straight', device='cpu')
    orig, u, v = (
        averages[0][f'generator.conv_first.conv2d.weight_{n}'] for n in ('orig', 'u', 'v')
    )
    torch.testing.assert_close(
        networks.generator.conv_first.conv2d.weight.data, orig / (u @ orig.flatten(1) @ v)
    )
    scores = runner.message_hub.log_scalars
    assert {name.partition('(')[0] for name in scores if name.startswith('val/')} >= {
        'val/AKLD',
        'val/KS',
    }


@pytest.mark.parametrize('name', RECIPES)
def test_recipes_learn_from_triplets(name):
    config = load_config(f'noise_transfer/noise_transfer_{name}.py')
    assert config.train_dataloader.dataset.type in (
        'MixedSets',
        'SyntheticTriplets',
        'RealTriplets',
    )
    assert [metric.type for metric in config.val_evaluator] == ['AKLD', 'KS']
    published = name != 'small_cc15'
    assert config.train_dataloader.batch_size == (32 if published else 8)
    assert config.train_cfg.max_iters == (400_000 if published else 2_000)
    for part in NAMES:
        adam = config.optim_wrapper[part].optimizer
        assert (adam.type, adam.betas, adam.weight_decay) == ('Adam', (0.5, 0.99), 1e-7)
        assert adam.lr == (1e-4 if published else 1e-3)


def test_the_small_recipe_holds_a_camera_out(data):
    config = load_config('noise_transfer/noise_transfer_small_cc15.py')
    real = config.train_dataloader.dataset.datasets[1].dataset
    seen = DATASETS.build({**real, 'check_count': False}).keys
    held = DATASETS.build({**config.test_dataloader.dataset, 'check_count': False}).keys
    watched = DATASETS.build({**config.val_dataloader.dataset, 'check_count': False}).keys
    assert seen == ['d800_iso3200_2']
    assert watched == ['d800_iso3200_1']
    assert held == ['5dmark3_iso3200_1', '5dmark3_iso3200_2']


# Two processes.


class Images:
    """Give every image of the whole batch random maps of its own, whichever process has it."""

    first, count = 0, 4

    @property
    def generator(self):
        return SampleStreams(list(range(Images.first, Images.first + Images.count)))


def step(model, first, count):
    """Train one iteration on some images of the batch of four."""
    whole = make_batch(n=4)
    rows = slice(first, first + count)
    batch = {
        'inputs': {name: image[rows] for name, image in whole['inputs'].items()},
        'data_samples': whole['data_samples'][rows],
    }
    Images.first, Images.count = first, count
    plain = model.module if isinstance(model, ChildrenDDP) else model
    optimisers = plain_optimisers(plain)
    model.train()
    for _ in range(2):
        logs = model.train_step(batch, optimisers)
    return logs


def plain_optimisers(model):
    with unwrapped(model) as plain:
        return sgd(plain, lr=0.05)


def train_as_rank(rank, port, folder):
    """Join a group of two and train on a half; runs in a process of its own."""
    os.environ |= {'RANK': str(rank), 'LOCAL_RANK': str(rank), 'WORLD_SIZE': '2'}
    os.environ |= {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}
    EditPreprocessor.generator = Images.generator
    init_processes('pytorch', 'gloo')
    model = ChildrenDDP(make_transfer(momentum=0.9))
    logs = step(model, 2 * rank, 2)
    with unwrapped(model) as plain:
        torch.save((plain.state_dict(), logs), folder / f'rank{rank}.pt')
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_equal_one_with_the_whole_batch(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context('fork')
    ranks = [context.Process(target=train_as_rank, args=(r, port, tmp_path)) for r in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(timeout=300)
        process.kill()
    assert [process.exitcode for process in ranks] == [0, 0]
    (first, logs), (second, others) = (torch.load(tmp_path / f'rank{r}.pt') for r in (0, 1))
    assert [name for name, value in first.items() if not torch.equal(value, second[name])] == []

    monkeypatch.setattr(EditPreprocessor, 'generator', Images.generator)
    model = make_transfer(momentum=0.9)
    whole = step(model, 0, 4)
    assert model.queue_pointer == 8
    for name, value in model.state_dict().items():
        torch.testing.assert_close(first[name], value, rtol=1e-4, atol=2e-6, msg=name)
    for name in ('loss_g', 'loss_d/contrast', 'contrast/accuracy'):
        mean = (logs[name] + others[name]) / 2
        torch.testing.assert_close(mean, whole[name], rtol=1e-4, atol=1e-5, msg=name)

"""Whole runs of NR-GAN recipes: pictures, averages, best checkpoint, resume, what is learnt."""

import math
import multiprocessing
import os
import signal
import socket
import time
from pathlib import Path

import pytest
import torch
from nr_gan_runs import recipe, train
from nr_gan_small import TinyDiscriminator, TinyGenerator, optimisers

from noiseedit.engine import build_runner
from noiseedit.engine.checkpoint import load_checkpoint
from noiseedit.engine.hooks.ema import averaged_weights
from noiseedit.engine.weights import unwrapped
from noiseedit.errors import CheckpointError, ConfigError
from noiseedit.imaging import read_image
from noiseedit.models.nr_gan import NRGAN, LearnedNoise


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """One whole run of six iterations."""
    folder = tmp_path_factory.mktemp('run')
    return train(recipe(folder)), folder


def checkpoint(folder, iteration=6):
    return load_checkpoint(Path(folder) / f'iter_{iteration}.pth')


def leaves(tree, path=''):
    """Flatten a checkpoint into {path: value}."""
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, (list, tuple)):
        items = enumerate(tree)
    else:
        return {path: tree}
    return {k: v for key, item in items for k, v in leaves(item, f'{path}.{key}').items()}


def assert_same_state(one, other):
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'training_state'):
        a, b = leaves(one[part]), leaves(other[part])
        assert a.keys() == b.keys()
        for name, value in a.items():
            same = torch.equal(value, b[name]) if torch.is_tensor(value) else value == b[name]
            assert same, f'{part}{name} differs'
    assert one['meta']['iter'] == other['meta']['iter']


def test_a_run_draws_image_noise_and_sum(run):
    _, folder = run
    pictures = sorted((folder / 'samples').glob('*.png'))
    assert [picture.name for picture in pictures] == ['iter_0000003.png', 'iter_0000006.png']
    side = 3 * (32 + 2) + 2  # three kinds, three latents, gaps
    assert read_image(pictures[0]).shape == (side, side, 3)


def test_the_average_of_both_generators_is_saved_and_is_no_copy(run):
    _, folder = run
    state = checkpoint(folder)
    networks = {name.split('.')[0] for name in state['ema_state_dict']}
    assert networks == {'generator', 'degradation'}
    for network in networks:
        names = [name for name in state['ema_state_dict'] if name.startswith(network)]
        assert any(
            not torch.equal(state['ema_state_dict'][n], state['state_dict'][n]) for n in names
        )


def test_the_best_checkpoint_is_kept(run):
    runner, folder = run
    best = list(folder.glob('best_SWDx1e3*.pth'))
    assert len(best) == 1
    assert runner.message_hub.get_info('best_score') >= 0


def test_the_learnt_level_is_in_the_log(run):
    runner, _ = run
    levels = runner.message_hub.get_scalar('train/noise/sigma').data[0]
    assert len(levels) == 6
    assert all(0 < level < 1 for level in levels)


def test_pictures_come_from_the_average_and_weights_come_back(run):
    runner, folder = run
    state = checkpoint(folder)
    with averaged_weights(runner), unwrapped(runner.model) as model:
        during = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for name, tensor in state['ema_state_dict'].items():
        assert torch.equal(during[name], tensor)
    for name, tensor in runner.model.state_dict().items():
        assert torch.equal(state['state_dict'][name], tensor)


@pytest.mark.parametrize(('variant', 'letter'), [('sinrgan1', 'A'), ('sdnrgan3', 'I')])
def test_resuming_is_exact_with_a_lazy_penalty(tmp_path, variant, letter):
    settings = {'variant': variant, 'letter': letter}
    settings['overrides'] = {'model.penalty_interval': 4}
    straight, split = tmp_path / 'straight', tmp_path / 'split'
    train(recipe(straight, **settings))
    train(recipe(split, iters=3, **settings))
    train(recipe(split, resume=True, **settings))
    assert_same_state(checkpoint(straight), checkpoint(split))


def train_often(folder):
    settings = recipe(folder, iters=40, resume=True)
    settings.train_cfg.val_interval = 10**6
    return train(settings)


def run_until_killed(folder, seconds):
    process = multiprocessing.get_context('fork').Process(target=train_often, args=(folder,))
    process.start()
    deadline = time.monotonic() + 60
    while not (folder / 'last_checkpoint').exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(seconds)  # it saves at every second iteration
    process.kill()
    process.join()
    return process.exitcode


def test_killed_and_resumed_is_bit_equal(tmp_path):
    train_often(tmp_path / 'straight')
    killed = tmp_path / 'killed'
    killed.mkdir()
    codes = [run_until_killed(killed, seconds) for seconds in (0.0, 0.1)]
    assert codes[0] == -signal.SIGKILL
    train_often(killed)
    assert_same_state(checkpoint(tmp_path / 'straight', 40), checkpoint(killed, 40))


def train_as_rank(rank, port, folder):
    """Join a group of two and train; runs in a process of its own."""
    os.environ |= {'RANK': str(rank), 'LOCAL_RANK': str(rank), 'WORLD_SIZE': '2'}
    os.environ |= {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}
    runner = train(recipe(folder, variant='sdnrgan2', letter='I', iters=3, launcher='pytorch'))
    with unwrapped(runner.model) as model:
        torch.save(model.state_dict(), folder / f'rank{rank}.pt')
    torch.distributed.destroy_process_group()


def test_two_processes_end_with_equal_weights(tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context('fork')
    ranks = [context.Process(target=train_as_rank, args=(r, port, tmp_path)) for r in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(timeout=120)
        process.kill()
    assert [process.exitcode for process in ranks] == [0, 0]
    first, second = (torch.load(tmp_path / f'rank{rank}.pt') for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_model_without_pictures_is_told_at_once(tmp_path):
    settings = recipe(tmp_path)
    settings.model = {
        'type': 'RestorationModel',
        'generator': {'type': 'DnCNN', 'depth': 3, 'width': 4},
        'losses': {'pixel': {'type': 'L1Loss'}},
    }
    settings.optim_wrapper = {'optimizer': {'type': 'Adam', 'lr': 1e-3}}
    settings.custom_hooks = [{'type': 'GeneratedGridHook'}]
    with pytest.raises(ConfigError, match=r'RestorationModel has no pictures'):
        train(settings)


def learn_constant_colours(model, iterations=250, lr=5e-3):
    """Train on images of one colour each with noise A; return the mean |sigma| of the last ones."""
    generator = torch.Generator().manual_seed(0)
    colours = 0.3 + 0.4 * torch.rand((512, 3, 1, 1), generator=generator)
    noise = 25 / 255 * torch.randn((512, 3, 8, 8), generator=generator)
    images, optim = (colours + noise).clamp(0, 1), optimisers(model, lr)
    levels = []
    for iteration in range(iterations):
        model.data_preprocessor.seed_iteration(iteration)
        batch = images[torch.randint(512, (16,), generator=generator)]
        levels.append(model.train_step({'inputs': {'real': batch}}, optim)['noise/sigma'])
    return torch.stack(levels[-100:]).mean().item(), levels[0].item()


def test_the_level_of_the_noise_is_learnt():
    torch.manual_seed(0)
    model = NRGAN(
        generator=TinyGenerator(8, image_size=8, cells=1),
        discriminator=TinyDiscriminator(channels=8),
        gan_loss={'type': 'VanillaGANLoss'},
        degradation=LearnedNoise(
            TinyGenerator(8, image_size=8, cells=1),
            prior={'type': 'AdditiveGaussianPrior'},
            diversity={'type': 'DiversityLoss'},
        ),
        penalty={'type': 'R1Penalty', 'weight': 1.0},
        data_preprocessor={'value_range': '[-1,1]', 'dequantise': True},
    )
    learnt, first = learn_constant_colours(model)
    assert abs(learnt - 0.196) < 0.05
    assert abs(learnt - 0.196) < abs(first - 0.196)


def test_a_generator_alone_can_be_tested_but_not_trained(run, tmp_path):
    _, folder = run
    state = checkpoint(folder)['state_dict']
    alone = tmp_path / 'netG.pth'
    kept = {name: t for name, t in state.items() if name.startswith('generator.')}
    torch.save({'state_dict': kept}, alone)
    settings = recipe(tmp_path / 'test', load_from=str(alone))
    settings.test_dataloader.dataset.length = 8
    settings.experiment_name = 'generator_alone'
    scores = build_runner(settings).test()
    assert all(math.isfinite(score) for score in scores.values())
    with pytest.raises(CheckpointError, match='missing     degradation'):
        train(recipe(tmp_path / 'train', load_from=str(alone)))

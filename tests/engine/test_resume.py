"""Resuming is exact to the bit: interrupted and uninterrupted runs end with equal tensors."""

import multiprocessing
import random
import signal
import time
from pathlib import Path

import engine_toy as toy
import pytest
import torch

from noiseedit.engine.checkpoint import load_checkpoint
from noiseedit.errors import CheckpointError


def tensors(tree, path=''):
    """Flatten a checkpoint's training state into {path: value}."""
    if isinstance(tree, dict):
        return {
            k: v for key, item in tree.items() for k, v in tensors(item, f'{path}.{key}').items()
        }
    if isinstance(tree, (list, tuple)):
        return {
            k: v for i, item in enumerate(tree) for k, v in tensors(item, f'{path}.{i}').items()
        }
    return {path: tree}


def assert_same_state(one, other):
    """Compare weights, average, optimisers, schedulers and iteration bit by bit."""
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        a, b = tensors(one[part]), tensors(other[part])
        assert a.keys() == b.keys()
        for name, value in a.items():
            same = torch.equal(value, b[name]) if torch.is_tensor(value) else value == b[name]
            assert same, f'{part}{name} differs'
    assert one['meta']['iter'] == other['meta']['iter']


def final(work_dir, iters):
    return load_checkpoint(Path(work_dir) / f'iter_{iters}.pth')


@pytest.mark.parametrize(('workers', 'accumulate'), [(0, 1), (0, 2), (2, 1)])
def test_ten_and_ten_equal_twenty(tmp_path, workers, accumulate):
    """GAN, two optimisers, schedulers, EMA, dropout, batch noise, data noise."""
    straight, split = tmp_path / 'straight', tmp_path / 'split'
    toy.train(toy.config(straight, iters=20, accumulate=accumulate, val=True))
    toy.train(toy.config(split, iters=10, workers=workers, accumulate=accumulate, val=True))
    resumed = toy.train(toy.config(split, iters=20, accumulate=accumulate, val=True, resume=True))
    assert_same_state(final(straight, 20), final(split, 20))
    history = resumed.message_hub.get_scalar('train/loss_g')
    assert len(history.data[0]) == 20


def test_a_resumed_run_loads_nothing_it_has_seen(tmp_path):
    toy.train(toy.config(tmp_path, iters=8))
    asked = toy.train(toy.config(tmp_path, iters=10, resume=True)).train_dataloader.dataset.asked
    assert [position // 6 for position in asked] == [2, 2, 3, 3]  # visits, for images 16 to 19


def test_the_same_run_twice_differs_only_by_seed(tmp_path):
    runs = []
    for name, seed in (('a', 3), ('b', 3), ('c', 4)):
        toy.train(toy.config(tmp_path / name, iters=4, randomness={'seed': seed}))
        runs.append(final(tmp_path / name, 4)['state_dict']['generator.0.weight'])
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_the_seed_of_the_run_wins_over_the_config(tmp_path):
    for name in ('straight', 'split'):
        iters = 8 if name == 'straight' else 4
        toy.train(toy.config(tmp_path / name, iters=iters, randomness={'seed': 7}))
    toy.train(toy.config(tmp_path / 'split', iters=8, resume=True))  # seed not repeated
    assert_same_state(final(tmp_path / 'straight', 8), final(tmp_path / 'split', 8))


def saving_often(folder, **more):
    hook = {'type': 'CheckpointHook', 'interval': 2, 'max_keep_ckpts': 2}
    settings = toy.config(folder, iters=60, **more)
    return settings | {'default_hooks': settings['default_hooks'] | {'checkpoint': hook}}


def run_until_killed(folder, seconds):
    context = multiprocessing.get_context('fork')
    process = context.Process(target=toy.train, args=(saving_often(folder, resume=True),))
    process.start()
    deadline = time.monotonic() + 60
    while not (folder / 'last_checkpoint').exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(seconds)  # it saves every few milliseconds
    process.kill()
    process.join()
    return process.exitcode


def test_killed_at_random_moments_also_while_saving(tmp_path):
    toy.train(saving_often(tmp_path / 'straight'))
    killed = tmp_path / 'killed'
    killed.mkdir()
    codes = [run_until_killed(killed, random.uniform(0.0, 0.15)) for _ in range(4)]
    assert -signal.SIGKILL in codes
    toy.train(saving_often(killed, resume=True))
    assert_same_state(final(tmp_path / 'straight', 60), final(killed, 60))
    assert not list(killed.glob('.*.tmp'))


def test_a_damaged_newest_file_falls_back_and_says_so(tmp_path, capsys):
    toy.train(toy.config(tmp_path, iters=8))
    newest = tmp_path / 'iter_8.pth'
    newest.write_bytes(newest.read_bytes()[:2000])
    toy.train(toy.config(tmp_path, iters=8, resume=True))
    text = capsys.readouterr().out
    assert 'iter_8.pth: damaged' in text
    assert f'Taken instead: {tmp_path}/iter_4.pth' in text
    assert final(tmp_path, 8)['meta']['iter'] == 8


def test_a_moved_folder_resumes(tmp_path):
    toy.train(toy.config(tmp_path / 'here', iters=4))
    (tmp_path / 'here').rename(tmp_path / 'there')
    assert toy.train(toy.config(tmp_path / 'there', iters=8, resume=True)).iter == 8
    assert (tmp_path / 'there' / 'last_checkpoint').read_text() == 'iter_8.pth'


def test_resume_in_an_empty_folder_starts_anew(tmp_path):
    assert toy.train(toy.config(tmp_path, iters=2, resume=True)).iter == 2


def test_auto_resume_starts_from_given_weights_only_the_first_time(tmp_path, capsys):
    toy.train(toy.config(tmp_path / 'base', iters=4, log_level='INFO'))
    weights = str(tmp_path / 'base' / 'iter_4.pth')
    settings = toy.config(tmp_path / 'own', resume='auto', load_from=weights, log_level='INFO')
    for iters, text in ((4, f'weights loaded from {weights}'), (8, 'resumed at iteration 4')):
        settings['train_cfg']['max_iters'] = iters
        assert toy.train(settings).iter == iters
        assert text in capsys.readouterr().out


def test_weights_alone_are_no_training_state(tmp_path):
    toy.train(toy.config(tmp_path, iters=4))
    state = load_checkpoint(tmp_path / 'iter_4.pth')
    torch.save({'state_dict': state['state_dict']}, tmp_path / 'weights.pth')
    settings = toy.config(tmp_path, resume=True, load_from=str(tmp_path / 'weights.pth'))
    with pytest.raises(CheckpointError, match='no training state'):
        toy.train(settings)


def test_another_model_is_refused_not_half_loaded(tmp_path):
    toy.train(toy.config(tmp_path, iters=4))
    other = toy.gan() | {'conditional': False}
    other['discriminator'] = {'type': 'engine_toy.ToyDiscriminator', 'channels': 3}
    settings = toy.config(tmp_path, model=other, resume=True)
    with pytest.raises(
        CheckpointError, match=r'shape       discriminator\.0\.weight: model \(4, 3'
    ):
        toy.train(settings)


def test_longer_training_with_open_schedules_warns(tmp_path, capsys):
    def settings(**more):
        made = toy.config(tmp_path, **more)
        for group in made['param_scheduler'].values():
            for scheduler in group:
                scheduler.pop('end', None)
        return made

    toy.train(settings(iters=4))
    toy.train(settings(iters=8, resume=True))
    assert 'without an explicit `end`' in capsys.readouterr().out


def test_the_config_text_in_a_file_is_never_executed(tmp_path):
    toy.train(toy.config(tmp_path, iters=4))
    path, marker = tmp_path / 'iter_4.pth', tmp_path / 'executed'
    state = load_checkpoint(path)
    state['meta']['config'] = state['meta']['cfg'] = f"open({str(marker)!r}, 'w')"
    torch.save(state, path)
    toy.train(toy.config(tmp_path, iters=5, resume=True))
    assert not marker.exists()

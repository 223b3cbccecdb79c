"""Hooks: seeds per iteration, moving average, NaN guard, best files, pictures."""

import re

import cv2
import engine_toy as toy
import pytest
import torch

from noiseedit.engine.checkpoint import load_checkpoint, weights_of
from noiseedit.engine.hooks import CheckpointHook, ModuleEMAHook, NaNGuardHook
from noiseedit.engine.hooks.checkpoint import file_name_of
from noiseedit.errors import ConfigError, TrainingDivergedError
from noiseedit.seeding import derive_seed


class ToySpy(toy.Hook):
    """Note what the iteration begins with."""

    priority = 'LOWEST'

    def __init__(self, seen):
        self.seen = seen

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        generator = runner.model.data_preprocessor.generator
        self.seen.append((torch.initial_seed(), generator.initial_seed()))


def hook_of(runner, kind):
    return next(hook for hook in runner.hooks if isinstance(hook, kind))


# Seeds.


def test_iterations_are_seeded_by_place_and_streams_are_apart(tmp_path):
    seen = []
    toy.train(toy.config(tmp_path, iters=3, randomness={'seed': 9}), ToySpy(seen))
    for iteration, (dropout, noise) in enumerate(seen):
        assert dropout == derive_seed(9, 'model', 0, iteration, 'global')
        assert noise == derive_seed(9, 'model', 0, iteration, 'noise')
    assert len({seed for pair in seen for seed in pair}) == 6


# Moving average.


def test_average_follows_its_formula(tmp_path):
    """Against a loop over the weights of every iteration, in float64."""
    weights = []

    class Record(toy.Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            weights.append(runner.model.generator[0].weight.detach().double().clone())

    hooks = [{'type': 'ModuleEMAHook', 'decay': 0.8, 'start_iter': 2}]
    toy.train(toy.config(tmp_path, iters=8, custom_hooks=hooks), Record())
    expected = weights[1]  # a copy until start_iter
    for weight in weights[2:]:
        expected = 0.8 * expected + 0.2 * weight
    saved = load_checkpoint(tmp_path / 'iter_8.pth')
    torch.testing.assert_close(
        saved['ema_state_dict']['generator.0.weight'].double(), expected, atol=1e-6, rtol=0
    )
    plain = saved['state_dict']['generator.0.weight'].double()
    assert torch.equal(plain, weights[-1])
    merged = weights_of(saved, ema=True)
    assert torch.equal(
        merged['discriminator.0.weight'], saved['state_dict']['discriminator.0.weight']
    )


@pytest.mark.parametrize('rule', ['copy', 'average'])
def test_buffers_are_copied_or_averaged(tmp_path, rule):
    hooks = [{'type': 'ModuleEMAHook', 'decay': 0.8, 'update_buffers': rule}]
    toy.train(toy.config(tmp_path, iters=4, custom_hooks=hooks))
    saved = load_checkpoint(tmp_path / 'iter_4.pth')
    name = 'generator.1.running_mean'
    same = torch.equal(saved['ema_state_dict'][name], saved['state_dict'][name])
    assert same == (rule == 'copy')
    count = 'generator.1.num_batches_tracked'
    assert saved['ema_state_dict'][count] == saved['state_dict'][count] == 4


def test_evaluation_uses_the_average_and_gives_the_weights_back(tmp_path):
    seen = {}

    class Look(toy.Hook):
        priority = 'LOWEST'

        def before_val_epoch(self, runner):
            seen['val'] = runner.model.generator[0].weight.detach().clone()

    runner = toy.train(toy.config(tmp_path, iters=4, val=True), Look())
    average = hook_of(runner, ModuleEMAHook).shadow['generator.0.weight']
    weights = load_checkpoint(tmp_path / 'iter_4.pth')['state_dict']['generator.0.weight']
    assert torch.equal(seen['val'], average)
    assert torch.equal(runner.model.generator[0].weight, weights)
    assert not torch.equal(average, weights)


def test_a_failing_validation_leaves_the_plain_weights(tmp_path):
    class Fail(toy.Hook):
        priority = 'LOWEST'

        def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            raise RuntimeError('broken metric')

    runner = toy.runner(toy.config(tmp_path, iters=8, val=True), Fail())
    with pytest.raises(RuntimeError, match='broken metric'):
        runner.train()
    weights = load_checkpoint(tmp_path / 'iter_4.pth')['state_dict']['generator.0.weight']
    assert torch.equal(runner.model.generator[0].weight, weights)


def test_average_of_a_network_that_is_not_there(tmp_path):
    hooks = [{'type': 'ModuleEMAHook', 'modules': ['generater']}]
    with pytest.raises(ConfigError, match="no network 'generater'; nearest: generator"):
        toy.train(toy.config(tmp_path, iters=1, custom_hooks=hooks))
    with pytest.raises(ConfigError, match='decay'):
        ModuleEMAHook(decay=1.0)
    with pytest.raises(ConfigError, match='update_buffers'):
        ModuleEMAHook(update_buffers='yes')


# NaN.


def poisoned(**how):
    model = toy.gan()
    model['losses'] = {'pixel': {'type': 'L1Loss'}, 'bad': {'type': 'engine_toy.ToyPoison', **how}}
    return model


def test_nan_loss_is_named_and_the_last_good_file_stays(tmp_path):
    with pytest.raises(TrainingDivergedError) as caught:
        toy.train(toy.config(tmp_path, model=poisoned(at=7), iters=12))
    text = str(caught.value)
    assert text.startswith('iteration 7: loss_g = nan, loss_g/bad = nan.')
    assert re.search(r'Batch: image\d, image\d\.', text)
    assert f'Last good checkpoint: {tmp_path}/iter_4.pth' in text
    assert [file.name for file in tmp_path.glob('*.pth')] == ['iter_4.pth']
    state = load_checkpoint(tmp_path / 'iter_4.pth')['state_dict']
    assert all(tensor.isfinite().all() for tensor in state.values())


def test_a_nan_gradient_reaches_no_file(tmp_path):
    """The loss of the saving iteration is finite, its update breaks the weights."""
    with pytest.raises(
        TrainingDivergedError, match=r'iteration 4: the weights generator\.\S+ are not'
    ):
        toy.train(toy.config(tmp_path, model=poisoned(at=4, gradient=True), iters=4))
    assert not list(tmp_path.glob('*.pth'))


def test_losses_are_copied_to_the_host_once(monkeypatch):
    copies = []
    original = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, 'tolist', lambda t: copies.append(1) or original(t))
    monkeypatch.setattr(torch.Tensor, 'is_cpu', False)  # as on a GPU
    outputs = {f'loss{i}': torch.tensor(float(i)) for i in range(5)}
    NaNGuardHook().after_train_iter(None, 0, None, outputs)
    assert len(copies) == 1
    assert outputs == {f'loss{i}': float(i) for i in range(5)}
    assert all(type(value) is float for value in outputs.values())


# Saving.


def test_only_the_newest_are_kept_and_the_pointer_is_relative(tmp_path):
    toy.train(toy.config(tmp_path, iters=16))
    assert sorted(f.name for f in tmp_path.glob('*.pth')) == ['iter_12.pth', 'iter_16.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == 'iter_16.pth'


def test_keeping_goes_on_after_a_resume(tmp_path):
    toy.train(toy.config(tmp_path, iters=8))
    toy.train(toy.config(tmp_path, iters=12, resume=True))
    assert sorted(f.name for f in tmp_path.glob('*.pth')) == ['iter_12.pth', 'iter_8.pth']


def test_the_new_file_is_there_before_the_old_one_goes(tmp_path, monkeypatch):
    from noiseedit.engine import runner

    def full(checkpoint, path):
        if path.name == 'iter_12.pth':
            raise toy.CheckpointError(f'{path}: no space')
        original(checkpoint, path)

    original = runner.save_checkpoint
    monkeypatch.setattr(runner, 'save_checkpoint', full)
    with pytest.raises(toy.CheckpointError, match='no space'):
        toy.train(toy.config(tmp_path, iters=16))
    assert sorted(f.name for f in tmp_path.glob('*.pth')) == ['iter_4.pth', 'iter_8.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == 'iter_8.pth'


def test_saves_wait_for_the_end_of_an_accumulation(tmp_path):
    toy.train(toy.config(tmp_path, iters=9, accumulate=3))
    assert sorted(f.name for f in tmp_path.glob('*.pth')) == ['iter_6.pth', 'iter_9.pth']


def test_one_best_file_with_a_safe_name(tmp_path):
    settings = toy.config(tmp_path, iters=12, val=True)
    settings['default_hooks']['checkpoint']['save_best'] = toy.PSNR
    toy.train(settings)
    best = [file.name for file in tmp_path.glob('best_*')]
    assert len(best) == 1
    assert re.fullmatch(r'best_PSNR_rgb_uint8_border0_iter_(4|8|12)\.pth', best[0])
    assert file_name_of('LPIPS(alex)/val') == 'LPIPS_alex_val'


def test_a_best_metric_that_is_not_computed_lists_what_is(tmp_path):
    settings = toy.config(tmp_path, iters=4, val=True)
    settings['default_hooks']['checkpoint']['save_best'] = 'PSNR'
    with pytest.raises(
        ConfigError, match=r"no metric 'PSNR'; nearest .*PSNR\(rgb,uint8,border=0\)"
    ):
        toy.train(settings)
    with pytest.raises(ConfigError, match='rule='):
        CheckpointHook(save_best='colourfulness')


# Pictures.


def test_sample_grid(tmp_path):
    hooks = [{'type': 'SampleGridHook', 'interval': 2, 'count': 3}]
    toy.train(toy.config(tmp_path, iters=4, val=True, custom_hooks=hooks))
    files = sorted((tmp_path / 'samples').glob('*.png'))
    assert [file.name for file in files] == ['iter_0000002.png', 'iter_0000004.png']
    first, second = (cv2.imread(str(file)) for file in files)
    assert first.shape == (3 * 8 + 2 * 4, 3 * 8 + 2 * 4, 3)
    assert (first[:, :8] == second[:, :8]).all()  # the same inputs
    assert (first[:, 12:20] != second[:, 12:20]).any()  # other predictions


def test_pictures_do_not_change_training(tmp_path):
    hooks = [{'type': 'SampleGridHook', 'interval': 1}]
    toy.train(toy.config(tmp_path / 'with', iters=4, custom_hooks=hooks))
    toy.train(toy.config(tmp_path / 'without', iters=4, custom_hooks=[]))
    one, other = (load_checkpoint(tmp_path / n / 'iter_4.pth') for n in ('with', 'without'))
    for name, tensor in one['state_dict'].items():
        assert torch.equal(tensor, other['state_dict'][name]), name


def test_progress_is_silent_without_a_terminal(tmp_path, capsys):
    hooks = [{'type': 'ProgressHook'}]
    toy.train(toy.config(tmp_path, iters=2, custom_hooks=hooks))
    assert 'training' not in capsys.readouterr().err


def test_progress_on_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('FORCE_COLOR', '1')
    toy.train(toy.config(tmp_path, iters=3, custom_hooks=[{'type': 'ProgressHook'}]))
    assert '3/3' in capsys.readouterr().err

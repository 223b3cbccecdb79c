"""Checkpoints: plain types, atomic writes, no code, strict loading."""

import os
import resource
import signal
from collections import OrderedDict, defaultdict
from pathlib import Path

import engine_toy as toy
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import nn
from torch.serialization import get_unsafe_globals_in_checkpoint

from noiseedit.engine.checkpoint import (
    latest_valid,
    load_checkpoint,
    remove_leftovers,
    save_checkpoint,
    verify,
    weights_of,
)
from noiseedit.engine.plain import restore_histories, to_plain
from noiseedit.engine.weights import load_weights, plain_state_dict
from noiseedit.errors import CheckpointError

# Plain types.


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('trained')
    hook = {'type': 'CheckpointHook', 'interval': 4, 'save_best': toy.PSNR}
    settings = toy.config(folder, val=True, iters=8)
    settings['default_hooks']['checkpoint'] = hook
    toy.train(settings)
    return folder


def test_every_saved_file_needs_no_code(trained):
    files = sorted(trained.glob('*.pth'))
    names = [file.name for file in files]
    assert names == ['best_PSNR_rgb_uint8_border0_iter_8.pth', 'iter_4.pth', 'iter_8.pth']
    for file in files:
        assert get_unsafe_globals_in_checkpoint(file) == []
        assert torch.load(file, weights_only=True)['meta']['iter'] in (4, 8)


def test_keys_are_plain_and_the_average_stands_beside(trained):
    checkpoint = load_checkpoint(trained / 'iter_8.pth')
    generator = {key for key in checkpoint['state_dict'] if key.startswith('generator.')}
    assert set(checkpoint['ema_state_dict']) == generator
    assert not any('.module.' in key for key in checkpoint['state_dict'])
    assert isinstance(checkpoint['message_hub']['runtime_info']['best_score'], float)
    assert checkpoint['message_hub']['runtime_info']['best_ckpt'].startswith('best_PSNR')


def test_conversion_to_plain_types():
    base = torch.arange(1000.0)
    value = {
        'np': np.float32(2.5),
        'array': np.arange(3),
        'ordered': OrderedDict(a=1),
        'default': defaultdict(int, b=2),
        'function': len,
        'nested': [(np.int64(1), {'f': print})],
        'path': Path('x'),
        'view': base[:2],
        'parameter': nn.Parameter(torch.ones(2)),
    }
    plain = to_plain(value)
    assert plain['np'] == 2.5
    assert type(plain['np']) is float
    assert torch.equal(plain['array'], torch.arange(3))
    assert type(plain['ordered']) is dict
    assert plain['default'] == {'b': 2}
    assert 'function' not in plain
    assert plain['nested'] == [(1, {})]
    assert plain['path'] == 'x'
    assert plain['view'].untyped_storage().nbytes() == 8
    assert not plain['parameter'].requires_grad


def test_log_histories_survive():
    buffer = HistoryBuffer([1.0, 2.0, 4.0], [1, 1, 2], max_length=7)
    again = restore_histories({'loss': to_plain(buffer), 'other': 3})
    assert again['other'] == 3
    assert again['loss'].max_length == 7
    assert again['loss'].mean() == buffer.mean()
    assert again['loss'].data[1].dtype == np.int64


def test_an_object_that_cannot_be_plain_is_named():
    with pytest.raises(CheckpointError, match=r"'meta\.thing\[1\]'.*builtins\.object"):
        to_plain({'meta': {'thing': [1, object()]}})


# Atomic writes.


def test_a_full_disk_leaves_the_good_file(tmp_path):
    """A real write error: the process may write no file larger than 4 KiB."""
    path = tmp_path / 'iter_1.pth'
    save_checkpoint({'state_dict': {'w': torch.ones(4)}}, path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        with pytest.raises(CheckpointError, match='cannot write the checkpoint'):
            save_checkpoint({'state_dict': {'w': torch.ones(100_000)}}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ['iter_1.pth']


def test_a_failing_flush_leaves_the_good_file(tmp_path, monkeypatch):
    path = tmp_path / 'iter_1.pth'
    save_checkpoint({'state_dict': {}}, path)
    before = path.read_bytes()

    def no_space(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', no_space)
    with pytest.raises(CheckpointError, match='No space left on device'):
        save_checkpoint({'state_dict': {'w': torch.ones(4)}}, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ['iter_1.pth']


# Reading.


def test_code_in_a_pickle_does_not_run(tmp_path):
    file, marker = tmp_path / 'bad.pth', tmp_path / 'executed'
    torch.save({'state_dict': {'w': torch.ones(1)}, 'x': toy.Malicious(marker)}, file)
    with pytest.raises(CheckpointError, match=r'holds code \(globals .*--trust-checkpoint'):
        load_checkpoint(file)
    assert not marker.exists()
    load_checkpoint(file, trust=True)
    assert marker.exists()


def test_getattr_reaches_nothing_but_statistics(tmp_path):
    """MMEngine's files use ``getattr``; a crafted one must not get hold of anything else."""

    class Gadget:
        def __reduce__(self):
            return getattr, (HistoryBuffer, '__init__')

    torch.save({'x': Gadget()}, tmp_path / 'gadget.pth')
    with pytest.raises(CheckpointError, match=r'builtins\.getattr'):
        load_checkpoint(tmp_path / 'gadget.pth')


def test_a_stock_mmengine_file_is_read_without_trust(tmp_path):
    scalars = OrderedDict({'train/loss': HistoryBuffer([1.5, 2.5], [1, 1])})
    hub = {'log_scalars': scalars, 'runtime_info': OrderedDict(eta=np.float64(3.0))}
    file = tmp_path / 'stock.pth'
    torch.save({'state_dict': {'w': torch.ones(1)}, 'message_hub': hub}, file)
    assert get_unsafe_globals_in_checkpoint(file) != []
    loaded = load_checkpoint(file)
    assert loaded['message_hub']['log_scalars']['train/loss'].mean() == 2.0
    assert loaded['message_hub']['runtime_info']['eta'] == 3.0


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', b'PK\x03\x04' + b'\0' * 100])
def test_files_that_are_no_checkpoints(tmp_path, content):
    file = tmp_path / 'x.pth'
    file.write_bytes(content)
    with pytest.raises(
        CheckpointError, match=rf'x\.pth: damaged or no checkpoint \({len(content)}'
    ):
        load_checkpoint(file)


def test_a_missing_file_names_its_neighbours(tmp_path):
    save_checkpoint({'state_dict': {}}, tmp_path / 'iter_5.pth')
    with pytest.raises(
        CheckpointError, match=r'iter_6\.pth: no such checkpoint; .* has iter_5\.pth'
    ):
        load_checkpoint(tmp_path / 'iter_6.pth')


def test_truncated_at_every_kind_of_place(tmp_path):
    save_checkpoint({'state_dict': {'w': torch.randn(50)}}, tmp_path / 'whole.pth')
    data = (tmp_path / 'whole.pth').read_bytes()
    for size in (1, 100, len(data) // 2, len(data) - 1):
        (tmp_path / 'cut.pth').write_bytes(data[:size])
        with pytest.raises(CheckpointError, match='damaged or no checkpoint'):
            load_checkpoint(tmp_path / 'cut.pth')


def test_a_flipped_bit_is_found(tmp_path):
    file = tmp_path / 'iter_1.pth'
    save_checkpoint({'state_dict': {'w': torch.full((4096,), 0.5)}}, file)
    data = bytearray(file.read_bytes())
    place = data.find(np.full(8, 0.5, np.float32).tobytes()) + 4
    data[place] ^= 1
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match='damaged'):
        verify(file)


def test_the_newest_complete_file(tmp_path):
    assert latest_valid(tmp_path) is None
    for step in (4, 8, 12):
        save_checkpoint({'state_dict': {}}, tmp_path / f'iter_{step}.pth')
    save_checkpoint({'state_dict': {}}, tmp_path / 'best_PSNR_iter_99.pth')
    assert latest_valid(tmp_path).name == 'iter_12.pth'
    (tmp_path / 'iter_12.pth').write_bytes(b'PK')
    with pytest.warns(UserWarning, match=r'iter_12\.pth: damaged.*Taken instead: .*iter_8\.pth'):
        assert latest_valid(tmp_path).name == 'iter_8.pth'
    for file in tmp_path.glob('*.pth'):
        file.write_bytes(b'')
    with pytest.raises(CheckpointError, match='no complete checkpoint'):
        latest_valid(tmp_path)


def test_the_pointer_wins_over_leftovers_of_a_longer_run(tmp_path):
    for step in (4, 1000):
        save_checkpoint({'state_dict': {}}, tmp_path / f'iter_{step}.pth')
    (tmp_path / 'last_checkpoint').write_text('iter_4.pth')
    assert latest_valid(tmp_path).name == 'iter_4.pth'


def test_a_newest_file_with_code_is_not_skipped_silently(tmp_path):
    save_checkpoint({'state_dict': {}}, tmp_path / 'iter_4.pth')
    torch.save({'x': toy.Malicious(tmp_path / 'm')}, tmp_path / 'iter_8.pth')
    with pytest.raises(CheckpointError, match='holds code'):
        latest_valid(tmp_path)


# Weights.


def two_layers():
    return nn.Sequential(OrderedDict(a=nn.Linear(2, 3), b=nn.Linear(3, 1)))


def test_weights_load_with_a_prefix_and_exactly():
    source, target = two_layers(), two_layers()
    state = {f'module.{name}': tensor for name, tensor in source.state_dict().items()}
    assert load_weights(target, state) == ''
    assert all(map(torch.equal, source.parameters(), target.parameters()))


def test_whatever_does_not_fit_is_listed_and_nothing_is_loaded():
    model = two_layers()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = {'a.weight': torch.ones(3, 2), 'a.bias': torch.ones(5), 'c.bias': torch.ones(1)}
    with pytest.raises(CheckpointError) as caught:
        load_weights(model, state)
    text = str(caught.value)
    assert 'missing     b.weight (1, 3)' in text
    assert 'unexpected  c.bias (1,)' in text
    assert 'shape       a.bias: model (3,), file (5,)' in text
    assert all(torch.equal(before[n], t) for n, t in model.state_dict().items())
    report = load_weights(model, state, strict=False)
    assert 'missing     b.weight' in report
    assert torch.equal(model.a.weight, torch.ones(3, 2))


def test_no_match_at_all_is_an_error_even_if_lenient():
    with pytest.raises(CheckpointError, match='do not fit Sequential'):
        load_weights(two_layers(), {'x.weight': torch.ones(2)}, strict=False)


def test_what_is_no_weights_says_so():
    with pytest.raises(CheckpointError, match=r'got keys .*params.*tools/convert\.py'):
        weights_of({'params': {'w': 1}})
    with pytest.raises(CheckpointError, match='no moving average'):
        weights_of({'state_dict': {'w': torch.ones(1)}}, ema=True)
    both = {
        'state_dict': {'w': torch.ones(1), 'v': torch.ones(1)},
        'ema_state_dict': {'w': torch.zeros(1)},
    }
    assert weights_of(both, ema=True)['w'] == 0


def test_wrapped_children_have_plain_names(monkeypatch):
    import mmengine.model

    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    monkeypatch.setattr(mmengine.model, 'is_model_wrapper', lambda m: isinstance(m, Wrapper))
    model = nn.Module()
    model.generator = Wrapper(nn.Linear(2, 2))
    assert sorted(plain_state_dict(Wrapper(model))) == ['generator.bias', 'generator.weight']
    load_weights(model, {'generator.weight': torch.zeros(2, 2), 'generator.bias': torch.ones(2)})
    assert torch.equal(model.generator.module.bias, torch.ones(2))


def test_leftovers_of_a_killed_process_are_removed_and_nothing_else(tmp_path):
    leftovers = ('.iter_4.pth.abc.tmp', '.last_checkpoint.abc.tmp')
    for name in (*leftovers, 'iter_4.pth', 'notes.tmp', '.mine.tmp'):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        '.mine.tmp',
        'iter_4.pth',
        'notes.tmp',
    ]

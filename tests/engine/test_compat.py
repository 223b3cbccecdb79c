"""MMEngine's gaps: each test shows that the repair is still needed, or harmless."""

import engine_toy as toy
import mmengine.runner.checkpoint as stock_checkpoint
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import IterBasedTrainLoop, Runner

from noiseedit.engine import NoiseRunner, compat
from noiseedit.engine.history import BoundedHistory
from noiseedit.errors import CheckpointError


def test_stock_runner_cannot_resume_its_own_file(tmp_path):
    """Why checkpoints are plain: what MMEngine saves, it cannot read with torch's default."""
    torch.save({'loss': HistoryBuffer([1.0], [1])}, tmp_path / 'stock.pth')
    with pytest.raises(Exception, match='HistoryBuffer'):
        torch.load(tmp_path / 'stock.pth', weights_only=True)


def test_stock_loop_starts_its_iterator_before_a_resume():
    import inspect

    assert '_InfiniteDataloaderIterator(' in inspect.getsource(IterBasedTrainLoop.__init__)


def test_mmengines_own_loader_runs_no_code(tmp_path):
    torch.save({'x': toy.Malicious(tmp_path / 'executed')}, tmp_path / 'bad.pth')
    with pytest.raises(CheckpointError, match='holds code'):
        stock_checkpoint.CheckpointLoader.load_checkpoint(str(tmp_path / 'bad.pth'))
    assert not (tmp_path / 'executed').exists()


def test_urls_are_read_without_code(monkeypatch):
    asked = {}
    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', lambda url, **how: asked.update(how))
    stock_checkpoint.CheckpointLoader.load_checkpoint('https://example.org/x.pth')
    assert asked['weights_only'] is True


@pytest.mark.parametrize(
    'address',
    [
        'torchvision://resnet50',
        'modelzoo://resnet50',
        'open-mmlab://vgg16_caffe',
        'openmmlab://vgg16_caffe',
        'mmcls://vgg11',
        'pavi://model/x.pth',
        's3://bucket/x.pth',
        'cluster:s3://bucket/x.pth',
        'petrel://bucket/x.pth',
    ],
)
def test_other_addresses_are_refused(address):
    with pytest.raises(CheckpointError, match=f'{address}: .*download the file, then name'):
        stock_checkpoint.CheckpointLoader.load_checkpoint(address)


def test_every_loader_of_mmengine_is_replaced():
    for loader in stock_checkpoint.CheckpointLoader._schemes.values():
        assert loader.__module__ == compat.__name__


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

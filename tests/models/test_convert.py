"""Converters: settings recovered from weights, and the released DnCNN against its numbers."""

import math
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import make_restoration
from torch.nn import functional

from noiseedit.errors import CheckpointError, UnknownNameError
from noiseedit.models.convert import checkpoint, convert, methods
from noiseedit.networks import DnCNN

ROOT = Path(__file__).resolve().parents[2]
DATA = (ROOT / '../shared/data').resolve()
RELEASED = DATA / 'checkpoints' / 'dncnn_s25_saoyan.pth'
needs_data = pytest.mark.skipif(not RELEASED.is_file(), reason=f'{RELEASED} is not here')


def saoyan(network):
    """Return the weights in the names of SaoYan/DnCNN-PyTorch, which keeps no batch counters."""
    return {
        key.replace('body.', 'module.dncnn.'): tensor
        for key, tensor in network.state_dict().items()
        if 'num_batches_tracked' not in key
    }


def kair(network):
    """Return the weights in the names of cszn/KAIR."""
    return {key.replace('body.', 'model.'): t for key, t in network.state_dict().items()}


@pytest.mark.parametrize('released', [saoyan, kair])
@pytest.mark.parametrize(
    'settings',
    [
        {'depth': 17, 'width': 8},
        {'depth': 5, 'width': 4, 'norm': False},
        {'in_channels': 3, 'depth': 20, 'width': 4, 'norm': False},
        {'in_channels': 3, 'depth': 4, 'width': 6, 'norm': True, 'bias': True},
    ],
)
def test_settings_and_output_are_recovered(released, settings):
    network = DnCNN(**settings).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    found = convert('dncnn', released(network))
    norm = settings.get('norm', True)
    expected = {'in_channels': 1, 'norm': norm, 'bias': not norm, **settings, 'type': 'DnCNN'}
    assert found.generator == expected
    rebuilt = DnCNN(**{k: v for k, v in found.generator.items() if k != 'type'}).eval()
    rebuilt.load_state_dict(found.state_dict, strict=True)
    x = torch.rand(1, network.in_channels, 9, 11)
    assert torch.equal(rebuilt(x), network(x))


def without(key):
    def change(weights):
        return {name: tensor for name, tensor in weights.items() if name != key}

    return change


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda w: {}, 'the file is incomplete'),
        (lambda w: {**w, 'epoch': torch.zeros(1)}, "such as module.dncnn.0.weight .*got 'epoch'"),
        (lambda w: {**w, 'model.0.weight': torch.zeros(4, 2, 3, 3)}, 'FDnCNN'),
        (lambda w: {**w, 'model.2.weight': torch.zeros(4, 5, 3, 3)}, 'do not fit .*size mismatch'),
        (without('model.2.weight'), 'the file is incomplete'),
        (without('model.2.bias'), r'do not fit .*Missing key.*body\.2\.bias'),
        (lambda w: {**w, 'model.0.weight': torch.zeros(4)}, r'first and last layer, got .*\(4,\)'),
    ],
)
def test_other_weights_are_refused(change, message):
    weights = kair(DnCNN(depth=4, width=4, norm=False))
    with pytest.raises(CheckpointError, match=f'(?s){message}'):
        convert('dncnn', change(weights))


def test_unknown_method_lists_the_nearest():
    assert 'dncnn' in methods()
    with pytest.raises(UnknownNameError, match="'dncn' has no converter; nearest: dncnn"):
        convert('dncn', {})


def test_checkpoint_loads_into_a_restoration_model():
    network = DnCNN(depth=4, width=4)
    converted = convert('dncnn', saoyan(network))
    made = checkpoint('dncnn', converted, 'file.pth')
    model = make_restoration(generator=converted.generator)
    model.load_state_dict(made['state_dict'], strict=True)
    assert torch.equal(model.generator.body[2].weight, network.body[2].weight)
    assert made['meta'] == {
        'method': 'dncnn',
        'source': 'file.pth',
        'generator': converted.generator,
    }


def run_tool(*arguments, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['convert.py', *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / 'tools' / 'convert.py'), run_name='__main__')
    return stop.value.code


class TestTool:
    """``tools/convert.py``."""

    def test_it_writes_a_plain_checkpoint_and_says_what_it_found(
        self, tmp_path, monkeypatch, capsys
    ):
        torch.save(kair(DnCNN(depth=4, width=4, norm=False)), tmp_path / 'in.pth')
        out = tmp_path / 'new' / 'out.pth'
        assert run_tool('dncnn', tmp_path / 'in.pth', out, monkeypatch=monkeypatch) == 0
        printed = capsys.readouterr().out
        assert 'depth=4' in printed
        assert 'in_channels=1' in printed
        assert 'norm=False' in printed
        assert torch.serialization.get_unsafe_globals_in_checkpoint(out) == []
        assert set(torch.load(out, weights_only=True)) == {'state_dict', 'meta'}
        assert [file.name for file in out.parent.iterdir()] == ['out.pth']

    def test_code_in_the_file_is_refused_and_trust_is_the_way_round(
        self, tmp_path, monkeypatch, capsys
    ):
        weights = kair(DnCNN(depth=4, width=4, norm=False))
        torch.save({'state_dict': weights, 'path': Path('x')}, tmp_path / 'in.pth')
        arguments = ('dncnn', tmp_path / 'in.pth', tmp_path / 'out.pth')
        assert run_tool(*arguments, monkeypatch=monkeypatch) == 2
        assert '--trust-checkpoint' in capsys.readouterr().err
        assert not (tmp_path / 'out.pth').exists()
        assert run_tool(*arguments, '--trust-checkpoint', monkeypatch=monkeypatch) == 0

    def test_an_unknown_method_is_one_line(self, tmp_path, monkeypatch, capsys):
        assert run_tool('nosuch', 'a', tmp_path / 'b', monkeypatch=monkeypatch) == 2
        assert capsys.readouterr().err.startswith("error: method 'nosuch' has no converter")


@pytest.fixture(scope='module')
def released():
    return torch.load(RELEASED, map_location='cpu', weights_only=True)


@pytest.fixture(scope='module')
def denoiser(released):
    found = convert('dncnn', released)
    network = DnCNN(**{k: v for k, v in found.generator.items() if k != 'type'}).eval()
    network.load_state_dict(found.state_dict, strict=True)
    return network


@needs_data
def test_released_file_has_the_published_shape(released):
    found = convert('dncnn', released).generator
    assert found == {
        'type': 'DnCNN', 'in_channels': 1, 'depth': 17, 'width': 64, 'norm': True, 'bias': False,
    }  # fmt: skip


@needs_data
def test_released_weights_give_the_output_of_a_forward_written_out(released, denoiser):
    """x - F(x), with the layers applied one by one from the raw file."""
    x = torch.rand(1, 1, 24, 20, generator=torch.Generator().manual_seed(0))
    layer = {key.removeprefix('module.dncnn.'): tensor for key, tensor in released.items()}
    noise = functional.conv2d(x, layer['0.weight'], padding=1).relu()
    for i in range(1, 16):
        noise = functional.conv2d(noise, layer[f'{3 * i - 1}.weight'], padding=1)
        mean, var, scale, shift = (
            layer[f'{3 * i}.{name}'].view(1, -1, 1, 1)
            for name in ('running_mean', 'running_var', 'weight', 'bias')
        )
        noise = ((noise - mean) / (var + 1e-5).sqrt() * scale + shift).relu()
    noise = functional.conv2d(noise, layer['47.weight'], padding=1)
    with torch.no_grad():
        torch.testing.assert_close(denoiser(x), x - noise, rtol=1e-4, atol=1e-6)


def psnr_of(denoiser, folder, count=None):
    """Return the mean float PSNR at sigma 25; noise unclipped, one stream over sorted files."""
    from PIL import Image

    generator, scores = torch.Generator().manual_seed(0), []
    for file in sorted(folder.glob('*.png'))[:count]:
        clean = torch.from_numpy(np.asarray(Image.open(file), dtype=np.float32) / 255)[None, None]
        noisy = clean + 25 / 255 * torch.randn(clean.shape, generator=generator)
        with torch.no_grad():
            error = (denoiser(noisy).clamp(0, 1) - clean).square().mean().item()
        scores.append(-10 * math.log10(error))
    return sum(scores) / len(scores)


@needs_data
def test_released_weights_denoise_the_first_images_of_set12(denoiser):
    assert psnr_of(denoiser, DATA / 'testsets' / 'Set12', 2) == pytest.approx(31.544, abs=0.005)


@pytest.mark.slow
@needs_data
def test_released_weights_reach_their_psnr_on_set12(denoiser):
    assert psnr_of(denoiser, DATA / 'testsets' / 'Set12') == pytest.approx(30.38, abs=0.02)

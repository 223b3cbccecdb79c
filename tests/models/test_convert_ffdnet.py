"""Converters of FFDNet and of KAIR's DnCNN: settings recovered, outputs equal, published PSNR."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from noiseedit.errors import CheckpointError, MissingExtraError
from noiseedit.models import matlab
from noiseedit.models.convert import convert, reader
from noiseedit.networks import DnCNN, FFDNet

ROOT = Path(__file__).resolve().parents[2]
DATA = (ROOT / '../shared/data').resolve()
RELEASED = DATA / 'checkpoints' / 'ffdnet_gray.mat'
needs_data = pytest.mark.skipif(not RELEASED.is_file(), reason=f'{RELEASED} is not here')


def image(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def rebuilt(found, kind):
    network = kind(**{k: v for k, v in found.generator.items() if k != 'type'}).eval()
    network.load_state_dict(found.state_dict, strict=True)
    return network


def without(key):
    return lambda weights: {name: tensor for name, tensor in weights.items() if name != key}


def refused(method, weights, message):
    with pytest.raises(CheckpointError, match=f'(?s){message}'):
        convert(method, weights)


# DnCNN: the files of KAIR.


@pytest.mark.parametrize(
    ('channels', 'depth', 'entries', 'count'),
    [(1, 17, 34, 555_137), (1, 20, 40, 665_921), (3, 20, 40, 668_227)],
)
def test_dncnn_of_kair(channels, depth, entries, count):
    """Merged batch norm: ``model.<2i>.{weight,bias}`` at full width."""
    network = DnCNN(channels, depth, norm=False).eval()
    weights = {k.replace('body.', 'model.'): t for k, t in network.state_dict().items()}
    assert len(weights) == entries
    assert set(weights) == {f'model.{2 * i}.{p}' for i in range(depth) for p in ('weight', 'bias')}
    found = rebuilt(convert('dncnn', weights), DnCNN)
    assert sum(p.numel() for p in found.parameters()) == count
    x = image(1, channels, 9, 8)
    with torch.no_grad():
        assert torch.equal(found(x), network(x))


def merged(network):
    """Return what KAIR stores of a network with batch norm: w g / s and b - m g / s."""
    state, weights, index = network.state_dict(), {}, 0
    numbers = sorted({int(key.split('.')[1]) for key in state})
    for number in numbers:
        if state[f'body.{number}.weight'].ndim == 1:
            continue
        w = state[f'body.{number}.weight']
        b = torch.zeros(len(w))
        if f'body.{number + 1}.running_var' in state:
            norm = {k: state[f'body.{number + 1}.{k}'] for k in ('running_mean', 'running_var')}
            scale = state[f'body.{number + 1}.weight'] / (norm['running_var'] + 1e-5).sqrt()
            w = w * scale.view(-1, 1, 1, 1)
            b = state[f'body.{number + 1}.bias'] - norm['running_mean'] * scale
        weights |= {f'model.{index}.weight': w, f'model.{index}.bias': b}
        index += 2
    return weights


def test_both_families_of_dncnn_are_one_network():
    """The batch norm of one release, merged as the other stores it, gives the same output."""
    network, x = DnCNN(depth=5, width=6).eval(), image(1, 1, 9, 8)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
    with torch.no_grad():
        found = rebuilt(convert('dncnn', merged(network)), DnCNN)
        torch.testing.assert_close(found(x), network(x))


# FFDNet.


def kair(network):
    return {key.replace('body.', 'model.'): t for key, t in network.state_dict().items()}


@pytest.mark.parametrize(
    'settings',
    [
        {},
        {'in_channels': 3},
        {'in_channels': 3, 'level_channels': 6},
        {'in_channels': 3, 'depth': 10, 'level_channels': 3, 'residual': True},
        {'depth': 4, 'width': 8},
    ],
)
def test_ffdnet_of_kair(settings):
    network = FFDNet(**settings).eval()
    found = rebuilt(convert('ffdnet', kair(network)), FFDNet)
    x, level = image(1, network.in_channels, 9, 8), torch.full((1, 1, 1, 1), 0.1)
    with torch.no_grad():
        assert torch.equal(found(x, level), network(x, level))


def matlab_layers(network, channels):
    """Return (type, weights) of the layers as MATLAB holds them, written out index by index."""
    convolutions = [layer for layer in network.body if isinstance(layer, torch.nn.Conv2d)]
    layers = [('SubP', None), ('concat', None)]
    for number, conv in enumerate(convolutions):
        weight, bias = conv.weight.detach().numpy().copy(), conv.bias.detach().numpy().copy()
        for c in range(channels):
            one, two = 4 * c + 1, 4 * c + 2  # torch: row 0 column 1, row 1 column 0
            if number == 0:
                weight[:, [one, two]] = weight[:, [two, one]]
            if number == len(convolutions) - 1:
                weight[[one, two]] = weight[[two, one]]
                bias[[one, two]] = bias[[two, one]]
        layers += [('conv', (weight.transpose(2, 3, 1, 0), bias[None])), ('relu', None)]
    return [*layers[:-1], ('SubP', None)]


def write_older(path, layers):
    from scipy.io import savemat

    cells = np.empty((1, len(layers)), object)
    for index, (kind, weights) in enumerate(layers):
        pair = np.empty((1, 2), object)
        pair[0, :] = list(weights) if weights else [np.zeros((0, 0))] * 2
        cells[0, index] = {'type': kind, 'weights': pair}
    savemat(path, {'net': {'layers': cells}})


def write_hdf5(path, layers):
    h5py = pytest.importorskip('h5py', reason='h5py is not installed')
    with h5py.File(path, 'w', userblock_size=512) as file:
        references = []
        for index, (kind, weights) in enumerate(layers):
            layer = file.create_group(f'#refs#/{index}')
            layer['type'] = np.array([[ord(letter)] for letter in kind], np.uint16)
            cells = [
                file.create_dataset(f'#refs#/{index}_{k}', data=array.T).ref
                for k, array in enumerate(weights or ())
            ]
            layer['weights'] = np.array(cells, h5py.ref_dtype) if cells else np.zeros(2, np.uint64)
            references.append([layer.ref])
        file['net/layers'] = np.array(references, h5py.ref_dtype)
    with path.open('r+b') as file:
        file.write(b'MATLAB 7.3 MAT-file')


@pytest.mark.parametrize('write', [write_older, write_hdf5])
@pytest.mark.parametrize('channels', [1, 3])
def test_ffdnet_of_matlab(write, channels, tmp_path):
    network = FFDNet(channels, depth=4, width=8).eval()
    for module in network.body:
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.uniform_(module.bias)
    write(tmp_path / 'net.mat', matlab_layers(network, channels))
    read = reader('ffdnet', tmp_path / 'net.mat')
    found = rebuilt(convert('ffdnet', read(tmp_path / 'net.mat')), FFDNet)
    for name, tensor in network.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


def test_a_matlab_file_without_its_package_or_content_is_refused(tmp_path, monkeypatch):
    file = tmp_path / 'a.mat'
    with pytest.raises(CheckpointError, match='no such file'):
        matlab.read_matconvnet(file)
    file.write_bytes(b'something else')
    with pytest.raises(CheckpointError, match='damaged, or no network of MatConvNet'):
        matlab.read_matconvnet(file)
    file.write_bytes(b'MATLAB 7.3 MAT-file, and no more')
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'noiseedit[matlab]'")):
        matlab.read_matconvnet(file)


def test_only_matlab_files_of_ffdnet_have_a_reader_of_their_own():
    assert reader('ffdnet', 'a.MAT') is matlab.read_matconvnet
    assert reader('ffdnet', 'a.pth') is None
    assert reader('dncnn', 'a.mat') is None


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda w: {}, 'expected two or more layers'),
        (lambda w: {**w, 'epoch': torch.zeros(1)}, "such as model.0.weight .*got 'epoch'"),
        (without('model.2.bias'), 'some incomplete or of another shape'),
        (lambda w: {**w, 'model.0.weight': torch.zeros(8, 6, 3, 3)}, '4C . L channels in'),
        (lambda w: {**w, 'model.2.weight': torch.zeros(8, 5, 3, 3)}, 'do not fit .*size mismatch'),
    ],
)
def test_other_weights_are_no_ffdnet(change, message):
    refused('ffdnet', change(kair(FFDNet(depth=4, width=8))), message)


@pytest.fixture(scope='module')
def released():
    pytest.importorskip('h5py', reason='h5py is not installed')
    return rebuilt(convert('ffdnet', matlab.read_matconvnet(RELEASED)), FFDNet)


@needs_data
def test_released_ffdnet_is_the_published_network(released):
    assert sum(p.numel() for p in released.parameters()) == 485_316
    assert (released.in_channels, released.level_channels, len(released.body)) == (1, 1, 29)


@needs_data
def test_released_ffdnet_against_the_layers_of_its_file(released):
    """Sub-images taken column by column, kernels height x width, straight from the file."""
    import h5py

    x, sigma = image(1, 1, 8, 10), 25 / 255
    parts = [x[:, :, i % 2 :: 2, i // 2 :: 2] for i in range(4)]
    y = torch.cat([*parts, torch.full((1, 1, 4, 5), sigma)], 1)
    with h5py.File(RELEASED) as file:
        for number, reference in enumerate(file['net/layers'][()].ravel()[2:-1:2]):
            cells = file[reference]['weights'][()].ravel()
            weight, bias = (torch.from_numpy(np.array(file[cell]).T.copy()) for cell in cells)
            y = functional.conv2d(
                y if number == 0 else y.relu(),
                weight.permute(3, 2, 0, 1),
                bias.flatten(),
                padding=1,
            )
    expected = torch.empty_like(x)
    for i in range(4):
        expected[:, :, i % 2 :: 2, i // 2 :: 2] = y[:, i : i + 1]
    with torch.no_grad():
        found = released(x, torch.full((1, 1, 1, 1), sigma))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def psnr(network, folder, sigma, count=None):
    """Return the mean PSNR of 8-bit images, with the noise of published tables."""
    from PIL import Image

    scores = []
    for file in sorted(folder.glob('*.png'))[:count]:
        clean = np.asarray(Image.open(file), dtype=np.float64)
        noise = np.random.RandomState(0).normal(0, sigma, clean.shape)
        noisy = torch.from_numpy((clean + noise) / 255).float()[None, None]
        with torch.no_grad():
            found = network(noisy, torch.full((1, 1, 1, 1), sigma / 255))[0, 0]
        error = np.rint(255 * found.clamp(0, 1).numpy().astype(np.float64)) - clean
        scores.append(10 * np.log10(255**2 / np.square(error).mean()))
    return sum(scores) / len(scores)


@needs_data
def test_released_ffdnet_is_not_in_a_transposed_frame(released):
    """A network read without both permutations scores as well, but is another function."""
    from PIL import Image

    file = DATA / 'testsets' / 'Set12' / '01.png'
    clean = torch.from_numpy(np.asarray(Image.open(file), dtype=np.float32)[:128, :128] / 255)
    noisy = clean + 25 / 255 * torch.randn(128, 128, generator=torch.Generator().manual_seed(0))
    level = torch.full((1, 1, 1, 1), 25 / 255)
    with torch.no_grad():
        upright = released(noisy[None, None], level)[0, 0]
        turned = released(noisy.T[None, None], level)[0, 0].T
    assert (upright - clean).square().mean() < 0.1 * (noisy - clean).square().mean()
    assert (upright - turned).abs().max() > 1e-3


@pytest.mark.slow
@needs_data
@pytest.mark.parametrize(('sigma', 'expected'), [(15, 32.74), (25, 30.42), (50, 27.30)])
def test_released_ffdnet_reaches_its_psnr_on_set12(released, sigma, expected):
    found = psnr(released, DATA / 'testsets' / 'Set12', sigma)
    assert found == pytest.approx(expected, abs=0.01)

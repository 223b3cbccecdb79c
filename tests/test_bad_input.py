"""Bad input of every kind, provoked: docs/troubleshooting.md quotes what the user sees."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from test_imaging import png_bytes

from noiseedit import noises
from noiseedit.cli import error_text
from noiseedit.config import load_config
from noiseedit.datasets import PairedFolder
from noiseedit.engine import tracking
from noiseedit.engine.checkpoint import load_checkpoint, save_checkpoint
from noiseedit.engine.weights import load_weights
from noiseedit.errors import NoiseEditError
from noiseedit.evaluation.metrics import LPIPS
from noiseedit.imaging import list_images, read_image, write_image
from noiseedit.inference import record
from noiseedit.inference.restoring import Restorer
from noiseedit.noises.blind import estimate_sigma
from noiseedit.registry import GENERATORS, MODELS

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / 'docs' / 'troubleshooting.md'
IMAGE = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def quoted_messages():
    """Return what is wrong -> message, as the page's table has it."""
    rows = re.findall(r'^\| ([^|]+) \| `([^`]+)` \| [^|]+ \|$', PAGE.read_text(), re.MULTILINE)
    return dict(rows)


def pattern(message):
    """Return the message as a pattern: ``...`` stands for anything."""
    return '.*'.join(re.escape(part) for part in message.split('...'))


def shown(error):
    """Return what the command line prints of ``error``, on one line."""
    return ' '.join(error_text(error).split())


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(str(TESTS / 'engine'))
    import engine_toy

    return engine_toy


# Images and folders. Every case takes an empty folder and pytest's fixtures.


def cut_in_half(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


def corrupt_png(folder, request):
    write_image(folder / 'a.png', IMAGE)
    read_image(cut_in_half(folder / 'a.png'))


def huge_png(folder, request):
    row = b'\0' + bytes(20000 // 8)
    (folder / 'a.png').write_bytes(png_bytes(20000, 20000, 1, 0, row * 20000))
    assert (folder / 'a.png').stat().st_size < 50_000
    read_image(folder / 'a.png')


def text_file(folder, request):
    (folder / 'a.png').write_text('<!DOCTYPE html>')
    read_image(folder / 'a.png')


def empty_folder(folder, request):
    list_images(folder)


def unpaired_names(folder, request):
    for place, names in (('noisy', '01'), ('clean', '12')):
        (folder / place).mkdir()
        for name in names:
            write_image(folder / place / f'{name}.png', IMAGE)
    PairedFolder(folder / 'noisy', folder / 'clean')


# Checkpoints.


def other_network(folder, request):
    dncnn = GENERATORS.build({'type': 'DnCNN', 'depth': 3, 'width': 4})
    resnet = GENERATORS.build({'type': 'ResNetGenerator', 'width': 4, 'num_blocks': 1})
    load_weights(resnet, dncnn.state_dict())


def truncated_checkpoint(folder, request):
    save_checkpoint({'state_dict': {'w': torch.ones(99)}}, folder / 'a.pth')
    load_checkpoint(cut_in_half(folder / 'a.pth'))


def code_in_checkpoint(folder, request):
    toy = request.getfixturevalue('toy')
    torch.save({'x': toy.Malicious(folder / 'executed')}, folder / 'a.pth')
    try:
        load_checkpoint(folder / 'a.pth')
    finally:
        assert not (folder / 'executed').exists()


def zoo_address(folder, request):
    CheckpointLoader.load_checkpoint('torchvision://resnet50')


# Configs and noises.


def misspelt_override(folder, request):
    load_config('dncnn/dncnn_gray_awgn25.py', ['optim_wrapper.optimiser.lr=1'])


def unknown_noise(folder, request):
    noises.build({'type': 'GausianNoise', 'sigma': 25, 'unit': 255})


def unknown_preset(folder, request):
    noises.build('nrgan/Z')


def negative_level(folder, request):
    noises.build({'type': 'GaussianNoise', 'sigma': -25, 'unit': 255})


def no_unit(folder, request):
    noises.build({'type': 'GaussianNoise', 'sigma': 25})


# Trained models at work.


def level_not_given(folder, request):
    network = {'type': 'FFDNet', 'in_channels': 1, 'depth': 3, 'width': 4}
    data = {'type': 'EditPreprocessor', 'noise_level': 'known'}
    model = {'type': 'RestorationModel', 'generator': network, 'data_preprocessor': data}
    Restorer(MODELS.build(model).eval())


def black_image(folder, request):
    estimate_sigma(torch.zeros(1, 3, 32, 32))


def no_generator(folder, request):
    noise = {'type': 'TransferredNoise', 'checkpoint': str(folder / 'none'), 'clip': True}
    built = noises.build({**noise, 'reference': {'preset': 'nrgan/A'}})
    built.per_sample(torch.zeros(1, 3, 32, 32), ['a'])


def another_run(folder, request):
    record.open_folder(folder, {'noise_level': 25}, record.RESTORED)
    record.open_folder(folder, {'noise_level': 15}, record.RESTORED)


# Packages and training.


def lpips_without_package(folder, request):
    patch = request.getfixturevalue('monkeypatch')
    patch.setitem(sys.modules, 'torchmetrics.functional.image.lpips', None)
    LPIPS(weights='random')


def missing_tracker(folder, request):
    request.getfixturevalue('monkeypatch').setattr(tracking, 'find_spec', lambda name: None)
    tracking.check_trackers({'vis_backends': [{'type': 'WandbVisBackend'}]})


def nan_in_training(folder, request):
    toy = request.getfixturevalue('toy')
    model = toy.gan()
    model['losses'] = {'bad': {'type': 'engine_toy.ToyPoison', 'at': 2}}
    toy.train(toy.config(folder, model=model, iters=3))


CASES = {
    'corrupt PNG': corrupt_png,
    'PNG of 400 megapixels': huge_png,
    'text in place of an image': text_file,
    'empty folder': empty_folder,
    'pairs with other names': unpaired_names,
    'checkpoint of another network': other_network,
    'truncated checkpoint': truncated_checkpoint,
    'checkpoint that holds code': code_in_checkpoint,
    'misspelt override': misspelt_override,
    'unknown noise': unknown_noise,
    'unknown preset': unknown_preset,
    'negative level': negative_level,
    'unit left out': no_unit,
    'level of the noise not given': level_not_given,
    'noise of a black image': black_image,
    'no trained generator of noise': no_generator,
    'results of another run in the folder': another_run,
    'LPIPS without its package': lpips_without_package,
    'tracker not installed': missing_tracker,
    'address of a model zoo': zoo_address,
    'NaN in training': nan_in_training,
}


@pytest.mark.parametrize('wrong', CASES)
def test_the_user_sees_the_quoted_message(wrong, tmp_path, request):
    with pytest.raises(NoiseEditError) as caught:
        CASES[wrong](tmp_path, request)
    assert re.match(pattern(quoted_messages()[wrong]), shown(caught.value)), shown(caught.value)


def test_the_page_quotes_nothing_else():
    assert list(quoted_messages()) == list(CASES)
    assert PAGE.read_text().count('\n| ') == len(CASES) + 1  # every row, and the header

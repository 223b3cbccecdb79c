"""tools/noise.py transfer: files, records, pictures, mistakes."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from saved_networks import pixels, write_checkpoint, write_images

from noiseedit.engine.checkpoint import save_checkpoint
from noiseedit.imaging import read_image, write_image
from noiseedit.inference.transferred_noise import TransferredNoise
from noiseedit.report.transferred import draw_curves, draw_transfer

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'noise.py'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp('transfer_tool') / 'transfer.pth')


@pytest.fixture
def files(tmp_path):
    write_images(tmp_path / 'clean', {'a': (20, 24), 'sub/b': (17, 19)})
    write_image(tmp_path / 'noisy.png', pixels(30, 30, 7))
    write_image(tmp_path / 'tiny.png', pixels(7, 30, 7))
    return tmp_path


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, 'argv', [str(TOOL), 'transfer', *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(TOOL), run_name='__main__')
    return (done.value.code, *capsys.readouterr())


@pytest.fixture
def transfer(monkeypatch, capsys, files, checkpoint):
    """Run the tool on the folder; later arguments replace earlier ones."""

    def call(*arguments):
        given = ('--reference', files / 'noisy.png', '--clean', files / 'clean', '--ckpt',
                 checkpoint, '--out', files / 'out', '--device', 'cpu')  # fmt: skip
        return run(monkeypatch, capsys, *given, *arguments)

    return call


def expected(files, checkpoint, key, seed=0, sample=0):
    noise = TransferredNoise(checkpoint, files / 'noisy.png', crop=None, clip=True)
    image = (
        torch.from_numpy(read_image(files / 'clean' / f'{key}.png')).permute(2, 0, 1)[None] / 255
    )
    noisy = noise.per_sample(image, [key], seed, repetition=sample)[0].permute(1, 2, 0)
    return np.rint(255 * noisy.numpy()).astype(np.uint8)


def test_it_writes_what_the_noise_gives(transfer, files, checkpoint):
    code, printed, _ = transfer('--seed', 3)
    assert code == 0
    assert f'2 images -> {files / "out"}' in printed
    for key in ('a', 'sub/b'):
        made = read_image(files / 'out' / f'{key}.png')
        assert np.array_equal(made, expected(files, checkpoint, key, seed=3))
    record = json.loads((files / 'out' / 'transferred.json').read_text())
    assert (record['seed'], record['images'], len(record['reference'])) == (3, 2, 64)


def test_a_second_run_makes_only_what_is_missing(transfer, files, checkpoint):
    transfer()
    kept, lost = files / 'out' / 'a.png', files / 'out' / 'sub' / 'b.png'
    lost.unlink()
    before = kept.stat().st_mtime_ns
    code, _, _ = transfer()
    assert (code, kept.stat().st_mtime_ns) == (0, before)
    assert np.array_equal(read_image(lost), expected(files, checkpoint, 'sub/b'))
    for change in (('--seed', 1), ('--reference', files / 'clean' / 'a.png'), ('--samples', 2)):
        code, _, error = transfer(*change)
        assert (code, 'images of another run' in error) == (2, True)


def test_samples_have_folders_of_their_own(transfer, files, checkpoint):
    code, printed, _ = transfer('--samples', 2, '--clean', files / 'clean' / 'a.png')
    assert (code, '2 images' in printed) == (0, True)
    made = [read_image(files / 'out' / str(sample) / 'a.png') for sample in range(2)]
    for sample in range(2):
        assert np.array_equal(made[sample], expected(files, checkpoint, 'a', sample=sample))
    assert not np.array_equal(*made)


def test_results_inside_the_clean_folder_are_no_clean_images(transfer, files):
    inside = files / 'clean' / 'noisy'
    for _ in range(2):
        code, printed, _ = transfer('--out', inside, '--samples', 2)
        assert (code, '4 images' in printed) == (0, True)
    assert len(list(inside.rglob('*.png'))) == 4
    code, _, error = transfer('--out', files / 'clean')
    assert (code, 'choose another out' in error) == (2, True)


def test_grey_images_stay_grey(transfer, files):
    write_image(files / 'grey.png', pixels(16, 16, channels=1))
    assert transfer('--clean', files / 'grey.png')[0] == 0
    assert read_image(files / 'out' / 'grey.png', channels=None).shape == (16, 16, 1)


def test_the_figure_and_the_curves(transfer, files):
    figure, real = files / 'figure.png', files / 'real.png'
    clean = pixels(64, 80)
    write_image(files / 'large.png', clean)
    write_image(real, clean ^ 1)
    code, printed, _ = transfer('--clean', files / 'large.png', '--figure', figure, '--real', real)
    assert code == 0
    assert 'real noise 1.00 grey levels, generated noise' in printed
    for file in (figure, files / 'figure_curves.png'):
        assert str(file) in printed
        assert read_image(file).std() > 5


def test_noise_is_magnified_to_be_seen_and_measured(tmp_path):
    rng = np.random.default_rng(0)
    clean = np.full((40, 40, 3), 0.5)
    images = {'clean': clean, 'reference': clean[:9]}
    images |= {name: clean + rng.normal(0, std, clean.shape) / 255
               for name, std in (('generated', 9.0), ('real', 12.0))}  # fmt: skip
    assert draw_transfer(images, tmp_path / 'a.png') == round(0.15 * 255 / 12)
    levels = draw_curves(images, tmp_path / 'b.png')
    assert levels == pytest.approx({'generated': 9, 'real': 12}, rel=0.05)


def test_mistakes_are_one_clear_line(transfer, files, tmp_path):
    wrong = tmp_path / 'wrong.pth'
    save_checkpoint({'state_dict': {'generator.weight': torch.zeros(2)}}, wrong)
    for arguments, message in (
        (('--reference', files / 'none.png'), 'none.png: no such file or folder'),
        (('--reference', files / 'tiny.png'), 'tiny.png: reference of 7 x 30 pixels'),
        (('--reference', wrong), 'wrong.pth: not an image file'),
        (('--clean', files / 'none'), 'none: no such folder'),
        (('--ckpt', files / 'none.pth'), 'none.pth: no such checkpoint'),
        (('--ckpt', wrong), 'wrong.pth: expected a checkpoint of NoiseTransfer'),
        (('--samples', 0), 'samples: expected at least 1'),
        (('--tile', 30), 'expected a multiple of 4'),
    ):
        code, _, error = transfer(*arguments)
        assert code == 2
        assert message in error
        assert error.count('\n') == 1
        assert not (files / 'out').exists()


def test_a_real_image_of_another_size_is_refused(transfer, files):
    code, _, error = transfer('--figure', files / 'f.png', '--real', files / 'noisy.png')
    assert (code, 'expected real of the shape of clean' in error) == (2, True)

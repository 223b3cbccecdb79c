"""tools/noise.py and what stands behind it: list, show, apply; and docs/noises.md."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from noiseedit.errors import DataError, UnknownNameError
from noiseedit.imaging import read_image, write_image
from noiseedit.noises import build, list_presets
from noiseedit.noises.build import build_named
from noiseedit.noises.files import apply_to_files, plan
from noiseedit.registry import NOISES
from noiseedit.report.noise_list import noise_list
from noiseedit.report.noise_sheet import GALLERY, demo_image, gallery, noise_sheet, write_sheet

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'noise.py'


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / 'photos'
    for key, seed in (('a', 0), ('sub/b', 1)):
        pixels = np.random.default_rng(seed).integers(0, 256, (24, 20, 3), dtype=np.uint8)
        write_image(folder / f'{key}.png', pixels)
    return folder


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *arguments])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(TOOL), run_name='__main__')
    return (done.value.code, *capsys.readouterr())


def test_list_names_everything():
    text = noise_list()
    for name in [*NOISES.names(), *list_presets()]:
        assert f'  {name} ' in text
    assert all(len(line) < 120 and 'no docstring' not in line for line in text.splitlines())


def test_docs_name_every_class_and_preset_family():
    text = (ROOT / 'docs' / 'noises.md').read_text()
    for name in (name for name in NOISES.names() if '.' not in name):
        assert name in text, f'docs/noises.md does not mention {name}'
    for preset in list_presets():
        family, _, noise = preset.partition('/')
        assert family in text
        assert noise.split('/')[0].split(':')[0] in text
    assert (ROOT / 'docs' / 'images' / 'noises.png').stat().st_size < 600_000


def test_sheet_shows_all_noises(tmp_path):
    image = demo_image()
    sheet = noise_sheet(image, crop=72)
    assert sheet.dtype == np.uint8
    rows = -(-(1 + len(gallery())) // 5)
    assert sheet.shape == (rows * (72 + 36 + 10) + 10, 5 * 82 + 10, 3)
    top = (len(image) - 72) // 2
    assert np.array_equal(sheet[10:82, 10:82], image[top : top + 72, 79:151])
    tiles = [sheet[10:82, 10 + 82 * k : 82 + 82 * k] for k in range(5)]
    assert all(not np.array_equal(tiles[0], tile) for tile in tiles[1:])
    write_sheet(tmp_path / 'small.png', sheet, colors=64)
    assert read_image(tmp_path / 'small.png').shape == sheet.shape


def test_gallery_has_every_class_that_stands_alone():
    shown = {type(build(spec)) for _, spec in gallery().values()}
    composed = {'OneOf', 'Patch', 'RandomLevel', 'Severity', 'NRGANCompatNoise', 'TransferredNoise'}
    own = {NOISES.get(name) for name in NOISES.names() if '.' not in name and name not in composed}
    assert own <= shown
    assert len(GALLERY) == len({spec if isinstance(spec, str) else str(spec) for _, spec in
                                GALLERY.values()})  # fmt: skip


def test_show_writes_a_picture_of_the_named_noises(photos, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'sheet.png'
    code, printed, _ = run(
        monkeypatch, capsys, 'show', str(photos / 'a.png'), '-o', str(out),
        '--noise', 'nrgan/A', 'GaussianNoise', 'nrgan/F:compat',
    )  # fmt: skip
    assert (code, printed.strip()) == (0, str(out))
    assert read_image(out).shape == (24 + 36 + 20, 4 * 30 + 10, 3)


def test_apply_gives_what_evaluation_sees(photos, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'noisy'
    code, printed, _ = run(
        monkeypatch, capsys, 'apply', 'nrgan/G', str(photos), '-o', str(out), '--seed', '3'
    )
    assert code == 0
    assert f'2 images -> {out}' in printed
    for key in ('a', 'sub/b'):
        x = torch.from_numpy(read_image(photos / f'{key}.png')).permute(2, 0, 1)[None] / 255
        noisy = build('nrgan/G').per_sample(x, [key], seed=3)[0].permute(1, 2, 0)
        expected = np.rint(255 * noisy.clamp(0, 1).numpy()).astype(np.uint8)
        assert np.array_equal(read_image(out / f'{key}.png'), expected)


def test_apply_takes_one_file_and_a_level(photos, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'one.png'
    source = photos / 'a.png'
    code, _, _ = run(
        monkeypatch, capsys, 'apply', 'GaussianNoise', str(source), '-o', str(out), '--level', '0'
    )
    assert code == 0
    assert np.array_equal(read_image(out), read_image(source))


def test_apply_takes_arguments_of_the_noise(photos, tmp_path, monkeypatch, capsys):
    source, out = photos / 'a.png', tmp_path / 'one.png'
    code, printed, _ = run(
        monkeypatch, capsys, 'apply', 'GaussianNoise', str(source), '-o', str(out),
        '--options', 'sigma=9', 'mono=True',
    )  # fmt: skip
    assert (code, 'sigma=9' in printed, 'mono=True' in printed) == (0, True, True)
    change = read_image(out).astype(int) - read_image(source)
    grey = (read_image(out) > 0) & (read_image(out) < 255)
    inner = grey.all(2)
    assert np.array_equal(change[inner][:, 0], change[inner][:, 1])


def test_mistakes_are_one_clear_line(photos, tmp_path, monkeypatch, capsys):
    for arguments, message in (
        (('GausianNoise', str(photos)), 'Nearest names: GaussianNoise'),
        (('gni/laplac', str(photos)), 'Nearest names: gni/laplace'),
        (('nrgan/A', str(tmp_path / 'none')), 'no such folder'),
        (('nrgan/K', str(photos), '--level', '3'), 'has no level to change'),
        (('nrgan/A', str(photos), '--level', '-3'), 'expected a finite number >= 0'),
    ):
        code, _, error = run(monkeypatch, capsys, 'apply', *arguments, '-o', str(tmp_path / 'out'))
        assert code == 2
        assert message in error
        assert error.count('\n') == 1


def test_two_pictures_of_one_name_are_refused(photos):
    write_image(photos / 'a.bmp', np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match="several images are called 'a'"):
        plan(photos, photos / 'out')


def test_grey_files_stay_grey(tmp_path):
    write_image(tmp_path / 'grey.png', np.full((16, 16, 1), 128, np.uint8))
    (written,) = apply_to_files(build('nrgan/A'), tmp_path / 'grey.png', tmp_path / 'out.png')
    assert read_image(written, channels=None).shape == (16, 16, 1)


def test_named_noises_are_presets_or_classes():
    assert build_named('nrgan/A').name == 'nrgan/A'
    assert build_named('PoissonNoise').level.low == 30
    with pytest.raises(UnknownNameError, match='PoissonNoise'):
        build_named('PoisonNoise')


def test_help_imports_nothing_heavy():
    code = (
        'import runpy, sys\n'
        f'sys.argv = ["noise.py", "--help"]\n'
        f'try: runpy.run_path({str(TOOL)!r}, run_name="__main__")\n'
        'except SystemExit: pass\n'
        'print(sorted({"torch", "cv2", "mmengine", "numpy"} & set(sys.modules)))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == '[]'

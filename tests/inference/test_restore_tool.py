"""The command that restores images."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from restore_models import picture, write_denoiser, write_folder

from noiseedit.imaging import read_image
from noiseedit.inference import load_model
from noiseedit.inference.restoring import Restorer

ROOT = Path(__file__).resolve().parents[2]


def as_float(image):
    return image.astype(np.float32) / 255


@pytest.fixture
def restore(monkeypatch, capsys):
    """Run the tool in this process; return exit code, output and errors."""
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['infer.py', 'restore', *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(ROOT / 'tools' / 'infer.py'), run_name='__main__')
        return stopped.value.code, *capsys.readouterr()

    return run


def test_tool_restores_a_folder_and_says_what_it_did(restore, denoiser, tmp_path):
    source, out = write_folder(tmp_path / 'in', channels=3), tmp_path / 'out'
    clean = write_folder(tmp_path / 'clean', channels=3)
    asked = [*denoiser('level'), source, '-o', out, '--noise-level', 25, '--compare', clean]
    code, printed, errors = restore(*asked, '--grid', tmp_path / 'grid.png', '--tile', 32)
    assert code == 0, errors
    assert 'sub/b: PSNR(rgb,uint8,border=0)' in printed
    assert '3 images in colour: R, G and B went through the grey network one by one' in printed
    assert f'3 images -> {out}' in printed.replace('\n', '')
    assert read_image(tmp_path / 'grid.png').std() > 0
    record = json.loads((out / 'restored.json').read_text())
    assert (record['images'], record['noise_level'], record['tiles']) == (3, 25, None)
    assert set(record['scores']) == {'a', 'sub/b', 'sub/c'}
    code, printed, _ = restore(*asked)  # without tiles: the same images
    assert code == 0
    assert '(3 were there)' in printed
    code, _, errors = restore(*denoiser('level'), source, '-o', out, '--noise-level', 15)
    assert code == 2
    assert 'noise_level 25.0 instead of 15.0' in errors
    other = tmp_path / 'estimated'
    code, *_ = restore(*denoiser('level'), source, '-o', other, '--noise-level', 'estimate')
    assert code == 0
    assert json.loads((other / 'restored.json').read_text())['noise_level'] == 'estimate'


def test_tool_names_what_failed_at_the_end(restore, denoiser, tmp_path):
    source, out = write_folder(tmp_path / 'in'), tmp_path / 'out'
    (source / 'sub/b.png').write_bytes(b'no image')
    code, printed, errors = restore(*denoiser(), source, '-o', out)
    assert code == 2
    assert 'sub/b: failed, see below' in printed
    assert f'2 images -> {out}' in printed.replace('\n', '')
    assert '1 of 3 images failed:' in errors
    assert 'b.png: not an image file' in errors
    assert list(json.loads((out / 'restored.json').read_text())['failed']) == ['sub/b']


def test_tool_says_once_that_tiles_change_the_result(restore, denoiser, tmp_path):
    source = write_folder(tmp_path / 'in', height=140, width=200, channels=3)
    out = tmp_path / 'out'
    code, printed, errors = restore(*denoiser('global'), source, '-o', out, '--tile', 128)
    assert code == 0, errors
    assert printed.count('tiles change the result: the network looks at all of an image') == 1
    assert json.loads((out / 'restored.json').read_text())['tiles'] == [128, 32]
    code, printed, _ = restore(*denoiser(), source, '-o', tmp_path / 'b', '--tile', 64, '--halo', 1)
    assert 'the network sees 4 pixels to each side, the halo has 1' in printed


def test_tool_restores_a_file_over_and_over(restore, denoiser, tmp_path):
    source = write_folder(tmp_path / 'in', ('a',)) / 'a.png'
    for _ in range(2):
        code, printed, errors = restore(*denoiser(), source, '-o', tmp_path / 'b.png')
        assert code == 0, errors
        assert '1 image ->' in printed
        assert 'there' not in printed
    assert not (tmp_path / 'restored.json').exists()
    assert restore(*denoiser(), source, '-o', tmp_path / 'folder')[0] == 0
    assert {path.name for path in (tmp_path / 'folder').iterdir()} == {'a.png', 'restored.json'}


@pytest.mark.parametrize(('option', 'factor'), [([], 0.5), (['--ema'], 0.5), (['--no-ema'], 1)])
def test_tool_takes_the_moving_average_if_there_is_one(restore, tmp_path, option, factor):
    """The network of zero bias halves its noise in every layer."""
    config, checkpoint = write_denoiser(tmp_path / 'model', average=0.5)
    source, out = write_folder(tmp_path / 'in', ('a',)), tmp_path / 'out'
    assert restore(config, checkpoint, source, '-o', out, *option)[0] == 0
    plain = Restorer(load_model(config, checkpoint, device='cpu', ema='off'))(picture())
    noise = as_float(picture()) - plain
    expected = np.clip(as_float(picture()) - factor**4 * noise, 0, 1) * 255
    assert np.abs(read_image(out / 'a.png', channels=None) - expected).max() < 0.51


def test_tool_without_average_refuses_to_use_it(restore, denoiser, tmp_path):
    source = write_folder(tmp_path / 'in', ('a',))
    code, _, errors = restore(*denoiser(), source, '-o', tmp_path / 'out', '--ema')
    assert (code, 'no moving average' in errors) == (2, True), errors
    assert not (tmp_path / 'out').exists()


def test_tool_leaves_folders_of_others_alone(restore, denoiser, tmp_path):
    source, out = write_folder(tmp_path / 'in', ('a',)), write_folder(tmp_path / 'out', ('sub/x',))
    code, _, errors = restore(*denoiser(), source, '-o', out)
    assert code == 2
    assert 'holds images but no restored.json' in errors


def test_tool_keeps_results_of_one_folder_apart_from_those_of_another(restore, denoiser, tmp_path):
    one, other = (write_folder(tmp_path / name, ('a',)) for name in ('one', 'other'))
    assert restore(*denoiser(), one, '-o', tmp_path / 'out')[0] == 0
    code, _, errors = restore(*denoiser(), other, '-o', tmp_path / 'out')
    assert code == 2
    assert f'(input {one} instead of {other})' in errors


def test_tool_records_the_level_of_the_config(restore, denoiser, tmp_path):
    source, out = write_folder(tmp_path / 'in', ('a',)), tmp_path / 'out'
    level = '--cfg-options', '+model.data_preprocessor.noise_level=15'
    code, _, errors = restore(*denoiser('level'), source, '-o', out, *level)
    assert code == 0, errors
    assert json.loads((out / 'restored.json').read_text())['noise_level'] == 15
    code, _, errors = restore(*denoiser('level'), source, '-o', out, '--noise-level', 'much')
    assert code == 2
    assert "expected a number or 'estimate', got 'much'" in errors


def test_tool_limits_pixels(restore, denoiser, tmp_path):
    source = write_folder(tmp_path / 'in', ('a',))
    code, _, errors = restore(*denoiser(), source, '-o', tmp_path / 'o', '--max-pixels', 100)
    assert (code, 'over the limit of 100' in errors) == (2, True)
    code, _, errors = restore(*denoiser(), source, '-o', tmp_path / 'o', '--max-pixels', 0)
    assert (code, 'over the limit of 0' in errors) == (2, True)


def test_tool_adds_no_noise(restore, denoiser, tmp_path):
    source = write_folder(tmp_path / 'in', ('a',))
    code, _, errors = restore(*denoiser(), source, '-o', tmp_path / 'o', '--noise', 'awgn25')
    assert (code, 'restore adds no noise' in errors) == (2, True)

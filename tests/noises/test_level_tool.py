"""tools/noise.py level: table, line of a config, picture."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from skimage import data

from noiseedit.errors import DataError
from noiseedit.imaging import read_image, write_image
from noiseedit.noises import build
from noiseedit.report.noise_levels import config_line, draw_levels, estimate_files, level_table

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'noise.py'


@pytest.fixture
def folder(tmp_path):
    """Two noisy photographs, colour and grey."""
    photo = data.astronaut()[:160, 100:300]
    noise = build({'type': 'GaussianNoise', 'sigma': 20, 'unit': 255})
    write_image(tmp_path / 'in/a.png', noise.apply_uint8(photo, 0))
    write_image(tmp_path / 'in/b.png', noise.apply_uint8(photo[..., :1].copy(), 1))
    return tmp_path / 'in'


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, 'argv', [str(TOOL), 'level', *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(TOOL), run_name='__main__')
    return (done.value.code, *capsys.readouterr())


def test_level_prints_a_table_and_a_config(monkeypatch, capsys, folder, tmp_path):
    picture = tmp_path / 'levels.png'
    code, out, _ = run(monkeypatch, capsys, folder, folder / 'a.png', '-o', picture)
    assert not code
    rows = re.findall(r'^\| (\S+) \| (R|G|B|grey) \| +([\d.]+) \|', out, re.M)
    assert [row[1] for row in rows] == ['R', 'G', 'B', 'grey']
    assert all(float(row[2]) == pytest.approx(20, rel=0.15) for row in rows)
    line = next(line for line in out.splitlines() if line.startswith('noise = '))
    config = Config.fromstring(line, '.py')
    assert config.noise.train == config.noise.test
    assert config.noise.train.type == 'GaussianNoise'
    assert build(config.noise.train).level.low == pytest.approx(20, rel=0.1)
    assert min(read_image(picture).shape[:2]) > 300


def test_correlated_is_passed_on(monkeypatch, capsys, folder):
    plain = run(monkeypatch, capsys, folder / 'a.png')[1]
    broad = run(monkeypatch, capsys, folder / 'a.png', '--correlated')[1]
    assert plain != broad


def test_poisson_noise_has_photons_in_its_table(tmp_path):
    photo = data.astronaut()[:160, 100:300]
    noise = build({'type': 'PoissonGaussianNoise', 'peak': 20, 'sigma': 3, 'unit': 255})
    write_image(tmp_path / 'x.png', noise.apply_uint8(photo, 0))
    found = dict(estimate_files([tmp_path / 'x.png']))
    assert "type='PoissonGaussianNoise', peak=" in config_line(found)
    chi = [float(line.split('|')[6]) for line in level_table(found).splitlines()[2:]]
    assert float(np.median(chi)) == pytest.approx(20, rel=0.25)


def test_a_picture_of_many_images_shows_twelve(tmp_path, folder):
    (_, noise), *_ = estimate_files([folder / 'b.png'])
    draw_levels({f'{i}.png': noise for i in range(14)}, tmp_path / 'x.png')
    assert (tmp_path / 'x.png').stat().st_size > 10_000


def test_an_image_that_cannot_be_used_is_named(monkeypatch, capsys, tmp_path):
    write_image(tmp_path / 'small.png', np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=r'small.png: .*8 x 8 are too small'):
        list(estimate_files([tmp_path / 'small.png']))
    code, _, error = run(monkeypatch, capsys, tmp_path / 'none')
    assert code == 2
    assert 'no such folder' in error


def test_a_bad_file_does_not_lose_the_others(monkeypatch, capsys, folder):
    write_image(folder / 'black.png', np.zeros((64, 64, 1), np.uint8))
    (folder / 'c.png').write_text('no image')
    code, out, error = run(monkeypatch, capsys, folder)
    assert code == 2
    assert len(re.findall(r'^\| \S+[ab].png', out, re.M)) == 4
    assert 'noise = dict(' in out
    assert '2 of 4 images failed:' in error
    assert re.search(r'black.png: .*black or white alone', error)
    assert 'c.png: not an image file' in error
    code, out, error = run(monkeypatch, capsys, folder / 'black.png', '-o', folder / 'x.png')
    assert (code, out.strip(), '1 of 1 image failed:' in error) == (2, '', True)
    assert not (folder / 'x.png').exists()

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'advise.py'


def run(*arguments, folder, module=False):
    command = ['-m', 'noiseedit', 'advise'] if module else [str(TOOL)]
    return subprocess.run(
        [sys.executable, *command, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_tool_recommends_and_writes(photos, tmp_path):
    baseline = 'pix2pix/pix2pix_resnet_toy-pencil.py'
    done = run(
        photos, '--noise', 'gaussian', '--max-sigma', 30, '--range', '[-1,1]',
        '--write-config', baseline, folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = tmp_path / 'work_dirs' / 'advice' / photos.name
    advice = json.loads((out / 'advice.json').read_text(), parse_constant=pytest.fail)
    assert advice['inputs']['max_sigma'] == 30
    assert 'average' in done.stdout
    assert 'minimax' in done.stdout
    assert str(out.relative_to(tmp_path)) in done.stdout
    assert 'images: 8/8' in done.stderr
    names = {'advice.json', 'advice.md', 'advice.html', 'spectrum.png', 'divergence.png',
             'level_map.png'}  # fmt: skip
    assert names <= {file.name for file in out.iterdir()}
    (config,) = out.glob('*_gaussian-v*.py')
    assert str(config.relative_to(tmp_path)) in done.stdout


def test_the_tool_is_a_command_of_the_package(tmp_path):
    done = run('nowhere', '--max-sigma', '5', folder=tmp_path, module=True)
    assert done.returncode == 2
    assert done.stderr.startswith('error: nowhere')


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (['nowhere', '--max-sigma', '5'], 'nowhere'),
        (['PHOTOS', '--max-sigma', '5', '--noise', 'gausian'], 'gausian'),
        (['PHOTOS'], 'exactly one'),
        (['PHOTOS', '--max-sigma', '5', '--range', '[-3,3]'], 'value_range'),
        (['PHOTOS', '--max-sigma', '5', '--write-config', 'gone.py'], 'gone.py'),
        (['PHOTOS', '--max-sigma', '5', '--out', __file__], 'is a file; --out takes a folder'),
    ],
)
def test_bad_input_is_one_line_and_code_2(photos, tmp_path, arguments, text):
    done = run(*(photos if a == 'PHOTOS' else a for a in arguments), folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('error: ')
    assert len(done.stderr.strip().splitlines()) == 1
    assert text in done.stderr
    assert not (tmp_path / 'work_dirs').exists()

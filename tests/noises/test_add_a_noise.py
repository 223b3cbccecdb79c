"""The code of docs/add_a_noise.md runs as it is printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOC = Path(__file__).resolve().parents[2] / 'docs' / 'add_a_noise.md'

USE_IN_FOLDER = """
import torch
from noiseedit.config import load_config
from noiseedit.noises import build

x = torch.rand(2, 3, 32, 32)
stripe = dict(type='RowStripe', sigma=12, unit=255)
for spec in (stripe, dict(type='Patch', noise=stripe, size=8),
             dict(type='RandomLevel', noise=stripe, low=1, high=9),
             dict(type='Sequential', noises=[stripe, dict(type='DeadPixels', amount=0.1)])):
    assert not torch.equal(build(spec).per_sample(x, [0, 1]), x)
    assert build(spec).apply_uint8(x[0].mul(255).byte().permute(1, 2, 0).numpy(), 3).any()
dead = build(dict(type='DeadPixels', amount=0.5)).per_sample(x, [0, 1])
assert 0.3 < (dead == 0).float().mean() < 0.7
"""

USE_CONFIG = """
from noiseedit.config import load_config

config = load_config('my_config.py')
noise = config.model.data_preprocessor.noise
assert noise.train.type == noise.test.type == 'RowStripe', noise
"""

RUN_TEST = """
import pytest

raise SystemExit(pytest.main(['-p', 'no:cacheprovider', 'test_stripes.py']))
"""


def blocks() -> list[tuple[str, str]]:
    """Return (file name, code) of every Python block of the page."""
    found = re.findall(r'```python\n# (\S+)\n(.*?)```', DOC.read_text(), flags=re.DOTALL)
    assert len(found) == 7
    return found


@pytest.fixture
def folder(tmp_path) -> Path:
    for name, code in blocks():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(code + '\n' + (file.read_text() if file.exists() else ''))
    return tmp_path


def python(folder: Path, *arguments: str) -> str:
    path = f'{folder}:{DOC.parents[1]}'
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env={'PYTHONPATH': path, 'PATH': '/usr/bin:/bin'},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_code_of_the_page_works(folder):
    program = f'import denoiser_noises\n{USE_IN_FOLDER}\n{USE_CONFIG}\n{RUN_TEST}'
    assert '1 passed' in python(folder, '-c', program)


def test_the_class_of_the_page_has_ten_lines():
    code = dict(blocks())['stripes/noises.py']
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 10

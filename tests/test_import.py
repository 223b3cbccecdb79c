"""What importing costs: nothing heavy until it is used."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def loaded_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after ``code``."""
    script = f'{code}\nimport sys; print("\\n".join(sys.modules))'
    run = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ('code', 'forbidden'),
    [
        ('import noiseedit', {'torch', 'torchvision', 'matplotlib', 'cv2', 'mmengine'}),
        ('import noiseedit.config, noiseedit.registry', {'torch', 'torchvision', 'cv2'}),
        ('import torch, noiseedit.noises', {'torchvision', 'matplotlib'}),
        ('import noiseedit.theory', {'torch', 'mmengine', 'matplotlib', 'cv2', 'scipy'}),
        (
            'import torch, noiseedit.networks, noiseedit.losses',
            {'torchvision', 'matplotlib', 'cv2'},
        ),
    ],
)
def test_import_is_light(code, forbidden):
    assert not loaded_after(code) & forbidden


def test_setup_needs_no_torch():
    script = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['setup.py', '--version'];"
        "exec(open('setup.py').read(), {'__file__': 'setup.py', '__name__': '__main__'})"
    )
    run = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.stdout.split()[-1:] == ['0.1.0'], run.stderr

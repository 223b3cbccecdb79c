"""What a wheel holds: the recipes and the command lines travel with the package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """Return the folder that ``setup.py build_py`` fills, as it would stand in site-packages."""
    target = tmp_path_factory.mktemp('site')
    subprocess.run(
        [sys.executable, 'setup.py', '-q', 'build_py', '--build-lib', str(target)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return target


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run python outside the checkout with the built package on its path."""
    environment = {**os.environ, 'PYTHONPATH': str(site)}
    command = (
        [sys.executable, '-P', *arguments]
        if sys.version_info >= (3, 11)
        else [sys.executable, *arguments]
    )
    return subprocess.run(
        command, cwd=site, env=environment, capture_output=True, text=True, check=False
    )


def test_configs_and_types_are_inside(built):
    assert (built / 'noiseedit' / 'py.typed').is_file()
    shipped = run(built, '-m', 'noiseedit.config', 'path', 'dncnn/dncnn_gray_awgn25.py')
    assert shipped.stdout.strip().startswith(str(built)), shipped.stderr


def test_tools_run_from_the_package(built):
    shown = run(built, '-m', 'noiseedit', 'train', 'dncnn/dncnn_gray_awgn25.py', '--print-config')
    assert 'GaussianNoise' in shown.stdout, shown.stderr


def test_unknown_tool_lists_the_tools(built):
    refused = run(built, '-m', 'noiseedit', 'tarin')
    assert refused.returncode != 0
    assert 'train' in refused.stderr

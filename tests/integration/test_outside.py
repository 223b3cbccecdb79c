"""A user's own generator, discriminator, noise and metric, without touching noiseedit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'

MODULES = '''
import torch
from torch import nn

from noiseedit.evaluation.metrics import ImageMetric
from noiseedit.noises import AdditiveNoise
from noiseedit.noises.random import normal
from noiseedit.registry import DISCRIMINATORS, GENERATORS, METRICS, NOISES


@GENERATORS.register_module()
class TinyNet(nn.Module):
    """One convolution."""

    def __init__(self, width=3):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)

    def forward(self, x):
        return self.conv(x)


@DISCRIMINATORS.register_module()
class TinyCritic(nn.Module):
    """One strided convolution."""

    def __init__(self, in_channels=6):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 1, 4, stride=2)

    def forward(self, x):
        return self.conv(x)


@NOISES.register_module()
class RowStripe(AdditiveNoise):
    """One random offset per row."""

    def apply(self, x, params, generator):
        return x + params['sigma'] * normal((len(x), 1, x.shape[2], 1), generator).to(x.device)


@METRICS.register_module()
class MeanError(ImageMetric):
    """Mean absolute error in [0, 1]."""

    name = 'MeanError'
    higher_is_better = False

    def score(self, sample):
        return float((sample.pred.clamp(0, 1) - sample.gt).abs().mean())
'''

CONFIG = """
_base_ = ['noiseedit::pix2pix/pix2pix_resnet_toy-pencil.py']
custom_imports = dict(imports=['mymodules'], allow_failed_imports=False)
model = dict(
    generator=dict(_delete_=True, type='TinyNet'),
    discriminator=dict(_delete_=True, type='TinyCritic'))
noise = dict(where='batch', target='source', train=dict(type='RowStripe', sigma=12, unit=255))
val_evaluator = [dict(type='MeanError')]
test_evaluator = [dict(type='MeanError')]
train_cfg = dict(max_iters=2)
train_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
"""

SWEEP = """
sweep = dict(noises=[dict(type='RowStripe', sigma=12, unit=255, levels=[0, 12])], repetitions=1)
"""


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    """Write the user's folder and train two iterations in it."""
    folder = tmp_path_factory.mktemp('myproj')
    (folder / 'mymodules.py').write_text(MODULES)
    (folder / 'my_config.py').write_text(CONFIG)
    (folder / 'my_sweep.py').write_text(SWEEP)
    tool(folder, 'train.py', 'my_config.py', '--work-dir', 'out')
    return folder


def tool(folder: Path, name: str, *arguments: str) -> str:
    """Run a tool as a user would, in ``folder``."""
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    run = subprocess.run(
        [sys.executable, str(TOOLS / name), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    return run.stdout


def checkpoint(folder: Path) -> str:
    (path,) = (folder / 'out').glob('iter_2.pth')
    return str(path)


def test_training_used_the_outside_parts(project):
    import torch

    state = torch.load(checkpoint(project), weights_only=True)['state_dict']
    assert {'generator.conv.weight', 'discriminator.conv.weight'} <= set(state)


def test_outside_metric_and_noise_in_test_and_sweep(project):
    tool(
        project,
        'test.py',
        'my_config.py',
        checkpoint(project),
        '--work-dir',
        'out',
        '--out',
        'scores.json',
        '--sweep',
        'my_sweep.py',
        '--limit',
        '2',
    )
    assert set(json.loads((project / 'scores.json').read_text())) == {'MeanError'}
    sweep = json.loads((project / 'out' / 'sweep.json').read_text())
    assert 'RowStripe' in json.dumps(sweep)
    for suffix in ('csv', 'md', 'png'):
        assert (project / 'out' / f'sweep.{suffix}').stat().st_size > 0

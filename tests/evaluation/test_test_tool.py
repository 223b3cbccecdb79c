"""tools/test.py and tools/report.py, as a user calls them."""

import json
import math
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from noiseedit.models import RestorationModel

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
GENERATOR = {'type': 'DnCNN', 'in_channels': 3, 'width': 4, 'depth': 3}

CONFIG = f"""
_base_ = ['noiseedit::_base_/default_runtime.py']
model = dict(
    type='RestorationModel',
    generator=dict({', '.join(f'{key}={value!r}' for key, value in GENERATOR.items())}),
    losses=dict(pixel=dict(type='L1Loss')))
noise = dict(where='batch', target='source',
             test=dict(type='GaussianNoise', sigma=25, unit=255), seed=0)
test_dataloader = dict(
    batch_size=2, num_workers=0,
    dataset=dict(type='ToyShapes', length=4, size=16),
    sampler=dict(type='CounterSampler', shuffle=False))
test_evaluator = [dict(type='PSNR'), dict(type='SSIM')]
test_cfg = dict()
log_level = 'ERROR'
"""

SET_METRICS = """
    dict(type='FID', features=dict(type='RandomFeatures', channels=2)),
    dict(type='NLDA', split=[3, 2], repetitions=2)"""

SWEEP = """
sweep = dict(noises=[dict(type='GaussianNoise', sigma=25, unit=255, levels=[0, 25])], seed=0)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Go to a folder with a config, a sweep, and a checkpoint with a moving average of NaN."""
    (tmp_path / 'own_config.py').write_text(CONFIG)
    (tmp_path / 'own_sweep.py').write_text(SWEEP)
    state = RestorationModel(generator=GENERATOR, losses={'pixel': {'type': 'L1Loss'}}).state_dict()
    average = {name: t + math.nan if t.is_floating_point() else t for name, t in state.items()}
    average = {name: t for name, t in average.items() if name.startswith('generator.')}
    (tmp_path / 'out').mkdir()
    file = {'state_dict': state, 'ema_state_dict': average}
    torch.save(file, tmp_path / 'out' / 'iter_5.pth')
    torch.save({'state_dict': state}, tmp_path / 'plain.pth')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(monkeypatch, tool, *arguments):
    """Run a tool in this process; return its exit code."""
    monkeypatch.setattr(sys, 'argv', [tool, *arguments])
    with pytest.raises(SystemExit) as exit_:
        runpy.run_path(str(TOOLS / tool), run_name='__main__')
    return exit_.value.code


def run_test(monkeypatch, *arguments):
    return call(monkeypatch, 'test.py', 'own_config.py', *arguments, '--work-dir', 'out')


def test_scores_images_and_names(project, monkeypatch, capsys):
    code = run_test(
        monkeypatch, 'plain.pth', '--out', 'scores.json', '--save-images', 'png', '--limit', '3'
    )
    assert code == 0
    scores = json.loads((project / 'scores.json').read_text())
    assert set(scores) == {'PSNR(rgb,uint8,border=0)', 'SSIM(rgb,uint8,border=0)'}
    assert len(list((project / 'png').rglob('*.png'))) == 3
    assert len((project / 'out' / 'test_images.csv').read_text().splitlines()) == 4
    shown = capsys.readouterr().out
    assert 'results: scores.json' in shown
    assert f'| {scores["PSNR(rgb,uint8,border=0)"]:.2f} |' in shown


def test_sweep_of_the_newest_checkpoint_and_report(project, monkeypatch, capsys):
    assert run_test(monkeypatch, 'out', '--sweep', 'own_sweep.py', '--ema', 'off') == 0
    for name in ('sweep.json', 'sweep.csv', 'sweep.md', 'sweep.png'):
        assert (project / 'out' / name).stat().st_size > 0
    result = json.loads((project / 'out' / 'sweep.json').read_text())
    assert result['checkpoint'] == 'iter_5.pth'
    assert result['config'] == 'own_config.py'
    assert not (project / 'out' / 'test_images.csv').exists()
    assert call(monkeypatch, 'report.py', 'out', '-o', 'report') == 0
    assert (project / 'report' / 'report.html').exists()
    assert 'report: report/report.html' in capsys.readouterr().out


def test_sweep_at_the_test_level_equals_the_test(project, monkeypatch):
    assert run_test(monkeypatch, 'plain.pth', '--out', 'a.json', '--sweep', 'own_sweep.py') == 0
    scores = json.loads((project / 'a.json').read_text())
    rows = json.loads((project / 'out' / 'sweep.json').read_text())['rows']
    swept = {row['metric']: row['mean'] for row in rows if row['level'] == 25}
    assert swept == pytest.approx(scores, abs=1e-12)


def test_moving_average_on_request_and_nan_is_a_failure(project, monkeypatch, capsys):
    code = run_test(monkeypatch, 'out', '--ema', 'on', '--out', 'nan.json')
    assert code == 1
    assert set(json.loads((project / 'nan.json').read_text()).values()) == {None}
    assert 'NaN in PSNR(rgb,uint8,border=0)' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('missing.pth',), 'missing.pth: no such checkpoint'),
        (('plain.pth', '--ema', 'on'), 'plain.pth: --ema on, but it holds no moving average'),
        (('empty',), 'empty: no checkpoint in this folder'),
        (('plain.pth', '--sweep', 'gni_gird'), 'Nearest: gni_grid'),
        (('plain.pth', '--limit', '0'), 'expected at least one image, got 0'),
    ],
)
def test_user_errors_are_one_line(project, monkeypatch, capsys, arguments, message):
    (project / 'empty').mkdir()
    assert run_test(monkeypatch, *arguments) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert 'Traceback' not in shown


def run_on_two(*options):
    """Run test.py as two processes, into the folder ``two`` and the file ``two.json``."""
    launch = ['-m', 'torch.distributed.run', '--nproc_per_node=2', '--standalone']
    test = [str(TOOLS / 'test.py'), 'own_config.py', 'plain.pth', '--work-dir', 'two']
    subprocess.run(
        [sys.executable, *launch, *test, '--launcher', 'pytorch', '--out', 'two.json', *options],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(TOOLS.parent)},
        capture_output=True,
        check=True,
    )


@pytest.mark.slow
def test_two_processes_share_the_images(project, monkeypatch):
    """Five images on two processes: the sampler repeats one, the results do not."""
    options = ['--cfg-options', 'test_dataloader.dataset.length=5', '--sweep', 'own_sweep.py']
    assert run_test(monkeypatch, 'plain.pth', '--out', 'one.json', *options) == 0
    alone = json.loads((project / 'out' / 'sweep.json').read_text())
    run_on_two(*options)
    one, two = (json.loads((project / f'{n}.json').read_text()) for n in ('one', 'two'))
    assert two == pytest.approx(one, abs=1e-12)
    shared = json.loads((project / 'two' / 'sweep.json').read_text())
    assert len(shared['images']) == 5
    assert shared['rows'] == alone['rows']


@pytest.mark.slow
def test_two_processes_share_a_set(project, monkeypatch):
    """The same of values of sets; then one process continues with what two have left."""
    text = (project / 'own_config.py').read_text()
    (project / 'own_config.py').write_text(text.replace("dict(type='SSIM')", SET_METRICS))
    options = ['--cfg-options', 'test_dataloader.dataset.length=5', '--sweep', 'own_sweep.py']
    assert run_test(monkeypatch, 'plain.pth', '--out', 'one.json', *options) == 0
    run_on_two(*options)
    one, two = (json.loads((project / f'{n}.json').read_text()) for n in ('one', 'two'))
    assert two == pytest.approx(one, rel=1e-3, abs=1e-9)
    assert two['FrechetDistance(random4,seed=0)/images'] == 5
    shared = json.loads((project / 'two' / 'sweep.json').read_text())
    assert call(monkeypatch, 'test.py', 'own_config.py', 'plain.pth', '--work-dir', 'two',
                *options) == 0  # fmt: skip
    assert json.loads((project / 'two' / 'sweep.json').read_text())['rows'] == shared['rows']


@pytest.mark.parametrize('tool', ['test.py', 'report.py'])
def test_help_loads_nothing_heavy(tool):
    script = (
        f'import sys, runpy; sys.argv = [{tool!r}, "--help"]\n'
        f'try: runpy.run_path({str(TOOLS / tool)!r}, run_name="__main__")\n'
        'except SystemExit: pass\n'
        'print({"torch", "mmengine", "cv2", "matplotlib"} & set(sys.modules), file=sys.stderr)'
    )
    run = subprocess.run(
        [sys.executable, '-c', script],
        capture_output=True,
        text=True,
        check=True,
        cwd=TOOLS.parent,
    )
    assert 'examples:' in run.stdout
    assert run.stderr.splitlines()[-1] == 'set()'

"""A whole study through its command: interrupted, continued, finished, asked again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUDY = """
study = dict(
    models=[
        dict(
            name='cycle',
            baseline='cyclegan/cyclegan_resnet_toy-pencil.py',
            injected='gaussian_v0.04',
            options=['model.generator.width=4', 'model.pool_size=2'],
        ),
    ],
    sweep=SWEEP,
    repetitions=3,
    limit=2,
    metrics=[dict(type='PSNR')],
    options=['train_cfg.max_iters=12', 'default_hooks.checkpoint.interval=4'],
)
"""
SWEEP = """
sweep = dict(
    noises=[
        dict(preset='gni/gaussian', levels=[0, 0.08, 0.16]),
        dict(preset='gni/salt_pepper', levels=[0.08, 0.16]),
    ],
    seed=0,
)
"""


def start(folder, *arguments):
    command = [sys.executable, str(ROOT / 'tools' / 'study.py'), *arguments]
    settings = {'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT), 'PYTHONUNBUFFERED': '1'}
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(folder, *arguments):
    process = start(folder, *arguments)
    text, _ = process.communicate(timeout=600)
    assert process.returncode == 0, text
    return text


def kill_after(process, file):
    """Kill the study and its tools as soon as ``file`` is there."""
    deadline = time.monotonic() + 300
    while not file.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert file.exists()


@pytest.mark.slow
def test_a_killed_study_continues_without_repeating_what_is_finished(tmp_path):
    (tmp_path / 'noises.py').write_text(SWEEP)
    (tmp_path / 'mine.py').write_text(STUDY.replace('SWEEP', repr(str(tmp_path / 'noises.py'))))
    out = tmp_path / 'out'
    arguments = ('mine.py', '--work-dir', str(out))
    kill_after(start(tmp_path, *arguments), out / 'cycle' / 'injected' / 'last_checkpoint')
    kept = out / 'cycle' / 'baseline' / 'iter_12.pth'
    before = kept.stat().st_mtime_ns

    text = finish(tmp_path, *arguments)
    assert kept.stat().st_mtime_ns == before
    assert text.count('# done before') == 1
    assert 'resumed at iteration' in text
    assert '[4/4] python tools/test.py' in text

    found = json.loads((out / 'study.json').read_text())
    assert [model['model'] for model in found['models']] == ['cycle']
    assert [model['train_noise']['variance'] for model in found['models']] == [0.04]
    assert len(found['entries']) == 2
    for entry in found['entries']:
        assert entry['draws'] == len(entry['mean_gain']['values']) == 3
        assert len(entry['levels']) == len(entry['gain'])
        assert entry['mean_gain']['low'] <= entry['mean_gain']['mean'] <= entry['mean_gain']['high']
    page = (out / 'study.html').read_text()
    assert page.count('src="data:image/png;base64,') == 1 + 1 + 2
    assert (out / 'study.md').read_text() in text

    (out / 'cycle' / 'injected' / 'sweep.json').unlink()
    text = finish(tmp_path, *arguments)
    assert text.count('# done before') == 3
    assert json.loads((out / 'study.json').read_text())['entries'] == found['entries']


def test_mistakes_are_one_line(tmp_path):
    process = start(tmp_path, 'gni_tiny')
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert text.startswith("error: study 'gni_tiny': no such file or name. Nearest: gni_toy")

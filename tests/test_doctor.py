"""The doctor: finds each fault, says how to mend it, never fails itself."""

import runpy
import sys
from pathlib import Path

import pytest

from noiseedit import doctor

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def packages(monkeypatch):
    """Return a dict of pretended packages: name -> version."""
    pretended = {'torch': '2.9.0+cpu', 'torchvision': '0.24.0+cpu', 'mmcv-lite': '2.2.0'}
    monkeypatch.setattr(doctor, 'installed', pretended.get)
    monkeypatch.setattr(doctor, 'import_error', lambda module: None)
    monkeypatch.setattr(doctor, 'requires', lambda name: ['torch (==2.9.0)', 'numpy'])
    return pretended


def problems(findings):
    return [finding for finding in findings if finding.state == 'problem']


def test_a_fitting_pair_is_well(packages):
    assert not problems(doctor.check_torch() + doctor.check_mmcv())


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        ({'torch': '2.8.0+cpu'}, 'torchvision 0.24.0+cpu was made for torch==2.9.0, found'),
        ({'torchvision': '0.24.0+cu128'}, 'are builds for different devices'),
    ],
)
def test_torch_pairs_that_do_not_fit(packages, change, text):
    packages.update(change)
    (finding,) = problems(doctor.check_torch())
    assert text in finding.text
    assert finding.fix.startswith('pip install --force-reinstall torch torchvision')


def test_torchvision_that_does_not_load(packages, monkeypatch):
    broken = {'torchvision': 'operator torchvision::nms does not exist'}
    monkeypatch.setattr(doctor, 'import_error', broken.get)
    (finding,) = problems(doctor.check_torch())
    assert 'nms does not exist' in finding.text


def test_missing_packages(packages):
    packages.clear()
    found = problems(doctor.check_required() + doctor.check_mmcv())
    assert 'pip install mmengine' in [finding.fix for finding in found]
    assert found[-1].fix == 'pip install mmcv-lite'
    assert doctor.check_torch() == []


def test_mmcv_beside_mmcv_lite(packages):
    packages['mmcv'] = '2.1.0'
    (finding,) = problems(doctor.check_mmcv())
    assert 'overwrite each other' in finding.text
    assert finding.fix == 'pip uninstall -y mmcv mmcv-lite && pip install mmcv-lite'


def test_opencv_faults(packages, monkeypatch):
    packages.update({'opencv-python': '5.0.0', 'opencv-python-headless': '4.9.0'})
    (finding,) = problems(doctor.check_opencv())
    assert 'several OpenCV of different versions' in finding.text
    monkeypatch.setattr(doctor, 'import_error', {'cv2': 'libGL.so.1: cannot open'}.get)
    (finding,) = problems(doctor.check_opencv())
    assert 'opencv-python-headless' in finding.fix


def test_missing_extras_name_their_command(packages):
    texts = {finding.text: finding.fix for finding in doctor.check_extras()}
    assert texts['extra metrics: without torchmetrics'] == "pip install 'noiseedit[metrics]'"
    assert not problems(doctor.check_extras())


def test_extras_and_requirements_are_those_of_the_package():
    for extra, names in {**doctor.EXTRAS, 'runtime': doctor.REQUIRED}.items():
        lines = (ROOT / 'requirements' / f'{extra}.txt').read_text().lower().split()
        for name in names:
            assert any(line.startswith(name) for line in lines), f'{name} is not in {extra}.txt'


def test_folders(tmp_path, monkeypatch):
    assert not problems(doctor.check_folder(tmp_path / 'not/yet/there'))
    monkeypatch.setattr(doctor, 'LEAST_FREE_GIB', 1e9)
    (finding,) = problems(doctor.check_folder(tmp_path))
    assert 'GiB free' in finding.text

    def refuse(**kwargs):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(doctor.tempfile, 'TemporaryFile', refuse)
    (finding,) = problems(doctor.check_folder(tmp_path))
    assert 'not writable: Permission denied' in finding.text
    assert '--work-dir' in finding.fix


def test_a_check_that_fails_is_a_finding(monkeypatch):
    def broken():
        raise RuntimeError('oops')

    monkeypatch.setattr(doctor, 'check_torch', broken)
    found = problems(doctor.diagnose([]))
    assert any("RuntimeError('oops')" in finding.text for finding in found)


def test_the_tool_prints_findings_and_its_exit_code_agrees(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['doctor.py', '--work-dir', str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(ROOT / 'tools/doctor.py'), run_name='__main__')
    printed = capsys.readouterr().out
    assert stopped.value.code == ('PROBLEM' in printed)
    assert printed.startswith('noiseedit ')
    assert f'{tmp_path}: writable' in printed
    assert 'a check failed' not in printed

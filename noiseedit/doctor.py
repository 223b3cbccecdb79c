"""What can be wrong with an installation, and the command that mends it.

Every check is a function that returns findings; none raises, none loads CUDA or MMEngine.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, TypeAlias

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

State: TypeAlias = Literal['ok', 'note', 'problem']

REQUIRED = (
    'torch', 'torchvision', 'numpy', 'scipy', 'mmengine',
    'scikit-image', 'pillow', 'rich', 'matplotlib',
)  # fmt: skip
EXTRAS = {
    'metrics': ('torchmetrics',),
    'matlab': ('h5py',),
    'tests': ('pytest', 'ruff', 'mypy'),
    'track': ('tensorboard', 'wandb', 'mlflow'),
    'demo': ('gradio',),
    'export': ('onnx', 'onnxscript', 'onnxruntime'),
}
LEAST_FREE_GIB = 2.0


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        state: ``'ok'``, ``'note'`` (something optional) or ``'problem'`` (must be mended).
        text: What was found.
        fix: The command or step that mends it.
    """

    state: State
    text: str
    fix: str = ''

    def __str__(self) -> str:
        sign = {'ok': 'ok     ', 'note': 'note   ', 'problem': 'PROBLEM'}[self.state]
        return f'{sign} {self.text}' + (f'\n        fix: {self.fix}' if self.fix else '')


def installed(package: str) -> str | None:
    """Return the version of a distribution, or ``None``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def check_python() -> list[Finding]:
    """Which Python this is (its lower bound is enforced by the installation)."""
    return [Finding('ok', f'Python {sys.version.split()[0]} at {sys.executable}')]


def check_required() -> list[Finding]:
    """Required packages are there."""
    findings = []
    for package in REQUIRED:
        found = installed(package)
        findings.append(
            Finding('ok', f'{package} {found}')
            if found
            else Finding('problem', f'{package} is missing', f'pip install {package}')
        )
    return findings


def check_mmcv() -> list[Finding]:
    """Exactly one of mmcv and mmcv-lite: both install the same module."""
    full, lite = installed('mmcv'), installed('mmcv-lite')
    if full and lite:
        fix = 'pip uninstall -y mmcv mmcv-lite && pip install mmcv-lite'
        text = f'mmcv {full} and mmcv-lite {lite} overwrite each other'
        return [Finding('problem', text, fix)]
    if not (full or lite):
        return [Finding('problem', 'mmcv-lite is missing', 'pip install mmcv-lite')]
    return [Finding('ok', f'mmcv-lite {lite}' if lite else f'mmcv {full}')]


def check_opencv() -> list[Finding]:
    """One OpenCV, and it can be imported (the desktop build needs libGL)."""
    names = ('opencv-python', 'opencv-python-headless', 'opencv-contrib-python')
    found = {name: number for name in names if (number := installed(name))}
    error = import_error('cv2')
    headless = 'pip uninstall -y opencv-python && pip install opencv-python-headless'
    if error:
        return [Finding('problem', f'OpenCV cannot be imported: {error}', headless)]
    text = ', '.join(f'{name} {number}' for name, number in found.items()) or 'OpenCV (no package)'
    if len(set(found.values())) > 1:
        fix = f'pip uninstall -y {" ".join(found)} && pip install opencv-python'
        return [Finding('problem', f'several OpenCV of different versions: {text}', fix)]
    return [Finding('ok', text)]


def import_error(module: str) -> str | None:
    """Return why ``module`` cannot be imported, as one line, or ``None``."""
    try:
        import_module(module)
    except Exception as error:
        return str(error).strip().split('\n')[0] or type(error).__name__
    return None


def check_torch() -> list[Finding]:
    """Torch and torchvision load together and are of one kind (CPU or the same CUDA)."""
    torch, vision = installed('torch'), installed('torchvision')
    if not (torch and vision):
        return []  # told by check_required
    fix = (
        'pip install --force-reinstall torch torchvision  # both in one command, from one index: '
        'that of PyTorch for CPU builds, the default one for GPUs'
    )
    if error := import_error('torch'):
        return [Finding('problem', f'torch {torch} cannot be imported: {error}', fix)]
    if error := import_error('torchvision'):
        text = f'torchvision {vision} does not fit torch {torch}: {error}'
        return [Finding('problem', text, fix)]
    kinds = [part.partition('+')[2] for part in (torch, vision)]
    if kinds[0] != kinds[1] and all(kinds):
        text = f'torch {torch} and torchvision {vision} are builds for different devices'
        return [Finding('problem', text, fix)]
    wanted = wanted_torch()
    if wanted is not None and not wanted.contains(torch, prereleases=True):
        text = f'torchvision {vision} was made for torch{wanted}, found torch {torch}'
        return [Finding('problem', text, fix)]
    return [Finding('ok', f'torch {torch} and torchvision {vision} fit')]


def wanted_torch() -> SpecifierSet | None:
    """Return the versions of torch that the installed torchvision declares, if it does."""
    for line in requires('torchvision') or ():
        requirement = Requirement(line)
        if requirement.name == 'torch':
            return requirement.specifier
    return None


def check_device() -> list[Finding]:
    """GPUs, CPU cores and threads."""
    if import_error('torch'):
        return []
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    findings = [Finding('ok', f'{cores} CPU cores, torch uses {torch.get_num_threads()} threads')]
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return [*findings, Finding('ok', f'CUDA {torch.version.cuda}: {", ".join(names)}')]
    if torch.version.cuda and shutil.which('nvidia-smi'):
        text = (
            f'torch is built for CUDA {torch.version.cuda} and a driver is there, but no GPU works'
        )
        return [*findings, Finding('problem', text, 'run nvidia-smi; update the driver or torch')]
    return [*findings, Finding('note', 'no GPU: everything runs on the CPU')]


def check_folder(folder: Path) -> list[Finding]:
    """Results can be written to ``folder``, and there is room."""
    parent = next(path for path in (folder, *folder.resolve().parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        fix = f'chmod u+w {parent}, or choose another folder: --work-dir DIR'
        return [Finding('problem', f'{folder}: not writable: {error.strerror}', fix)]
    free = shutil.disk_usage(parent).free / 2**30
    if free < LEAST_FREE_GIB:
        fix = 'free some space, or choose another folder: --work-dir DIR'
        return [Finding('problem', f'{folder}: only {free:.1f} GiB free', fix)]
    return [Finding('ok', f'{folder}: writable, {free:.0f} GiB free')]


def check_extras() -> list[Finding]:
    """Optional packages, by the extra that brings them."""
    findings = []
    for extra, packages in EXTRAS.items():
        missing = [package for package in packages if not installed(package)]
        if missing:
            text = f'extra {extra}: without {", ".join(missing)}'
            findings.append(Finding('note', text, f"pip install 'noiseedit[{extra}]'"))
        else:
            findings.append(Finding('ok', f'extra {extra}: complete'))
    if not installed('kornia_rs'):
        text = 'kornia_rs is not installed: PNG files decode at half the speed'
        findings.append(Finding('note', text, 'pip install kornia_rs'))
    return findings


def check_plugins() -> list[Finding]:
    """Plug-ins of other packages load."""
    if import_error('mmengine'):
        return []
    import warnings

    from noiseedit import registry

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        names = registry.load_plugins()
    findings = [Finding('ok', f'plug-in {name}') for name in names]
    for name, error in registry.failed_plugins.items():
        fix = 'repair or uninstall the package that declares it; tools take --no-plugins'
        findings.append(Finding('problem', f'plug-in {name} failed to load: {error}', fix))
    return findings


def diagnose(folders: Iterable[Path]) -> list[Finding]:
    """Run every check; a check that fails itself is a finding, too."""
    checks: list[Callable[[], list[Finding]]] = [
        check_python, check_required, check_mmcv, check_opencv, check_torch, check_device,
        check_plugins,
    ]  # fmt: skip
    findings = [finding for check in checks for finding in _safely(check)]
    for folder in folders:
        findings += _safely(lambda folder=folder: check_folder(folder))
    return findings + _safely(check_extras)


def _safely(check: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return check()
    except Exception as error:
        return [Finding('problem', f'a check failed: {error!r}', 'please report this')]

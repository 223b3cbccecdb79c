"""Tools run one after another, each as a user would type it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from os import PathLike, fspath

from noiseedit.config import shipped_root

Step = list[str]
"""A tool of ``tools/`` and its arguments."""


def train_step(
    config: str, folder: str | PathLike[str], *, seed: int = 0, options: Sequence[str] = ()
) -> Step:
    """Return the step that trains ``config`` in ``folder``, continuing what is there.

    Args:
        config: File, or name of a shipped config.
        folder: Work folder.
        seed: Base seed; 0: that of the config.
        options: For ``--cfg-options``.
    """
    seeded = ['--seed', str(seed)] if seed else []
    here = ['--work-dir', fspath(folder)]
    return ['train.py', config, *here, *seeded, '--resume', 'auto', *_last(options)]


def sweep_step(
    config: str,
    folder: str | PathLike[str],
    sweep: str,
    *,
    checkpoint: str | None = None,
    limit: int | None = None,
    options: Sequence[str] = (),
) -> Step:
    """Return the step that sweeps a trained model.

    Args:
        config: File, or name of a shipped config.
        folder: Work folder: results go there.
        sweep: Name or file.
        checkpoint: File; None: the newest of the work folder.
        limit: Only so many images; None: all.
        options: For ``--cfg-options``.
    """
    first = ['--limit', str(limit)] if limit else []
    weights = checkpoint or fspath(folder)
    here = ['--work-dir', fspath(folder)]
    return ['test.py', config, weights, *here, '--sweep', sweep, *first, *_last(options)]


def _last(options: Sequence[str]) -> list[str]:
    return ['--cfg-options', *options] if options else []


def step_text(step: Step) -> str:
    """Return the command line of a step."""
    tool, *arguments = step
    return f'python tools/{tool} {shlex.join(arguments)}'


def run_step(step: Step) -> None:
    """Run a step in a process of its own.

    Raises:
        SystemExit: With its code, if it fails.
    """
    tool, *arguments = step
    script = str(shipped_root('tools') / tool)
    command = [sys.executable, script, *arguments]
    code = subprocess.run(command, check=False).returncode  # noqa: S603
    if code:
        raise SystemExit(code)


def run_numbered(step: Step, number: int, total: int) -> None:
    """Print ``[number/total]`` and the command line, then run it."""
    print(f'\n[{number}/{total}] {step_text(step)}', flush=True)
    run_step(step)

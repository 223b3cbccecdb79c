"""The main job in one command, on photographs that ship inside scikit-image, on a CPU.

Trains a small photo-to-pencil GAN on clean and on noise-injected photographs, sweeps both over
five noise types and six levels, and writes a report that shows the first breaking and the second
holding.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

from noiseedit.config import shipped_root

CLEAN = 'pix2pix/pix2pix_resnet_toy-pencil.py'
INJECTED = 'pix2pix/pix2pix_resnet_toy-pencil_gaussian-v0.08.py'
SWEEP = 'gni_grid'
IMAGE = 'chelsea/000_096'
SHORT = ['train_cfg.max_iters=150']


def commands(work_dir: Path, short: bool) -> list[list[str]]:
    """Return the five commands, as a user would type them."""
    options = ['--cfg-options', *SHORT] if short else []
    steps = []
    for config, name in ((CLEAN, 'clean'), (INJECTED, 'injected')):
        folder = str(work_dir / name)
        steps.append(['train.py', config, '--work-dir', folder, '--resume', 'auto', *options])
    for config, name in ((CLEAN, 'clean'), (INJECTED, 'injected')):
        folder = str(work_dir / name)
        steps.append(['test.py', config, folder, '--work-dir', folder, '--sweep', SWEEP, *options])
    folders = [str(work_dir / name) for name in ('clean', 'injected')]
    return [*steps, ['report.py', *folders, '-o', str(work_dir), '--image', IMAGE]]


def run(step: list[str], number: int, total: int) -> None:
    tool, *arguments = step
    print(f'\n[{number}/{total}] python tools/{tool} {shlex.join(arguments)}', flush=True)
    script = str(shipped_root('tools') / tool)
    code = subprocess.run([sys.executable, script, *arguments], check=False).returncode
    if code:
        raise SystemExit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/quickstart'))
    parser.add_argument('--short', action='store_true', help='a tenth of the training; for checks')
    args = parser.parse_args()
    start = time.monotonic()
    steps = commands(args.work_dir, args.short)
    for number, step in enumerate(steps, 1):
        run(step, number, len(steps))
    print(f'\ndone in {(time.monotonic() - start) / 60:.1f} minutes')


if __name__ == '__main__':
    main()

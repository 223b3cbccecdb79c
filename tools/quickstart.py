"""The main job in one command, on photographs that ship inside scikit-image, on a CPU.

Trains a small photo-to-pencil GAN on clean and on noise-injected photographs, sweeps both over
five noise types and six levels, and writes a report that shows the first breaking and the second
holding.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from noiseedit.chain import Step, run_numbered, sweep_step, train_step

CLEAN = 'pix2pix/pix2pix_resnet_toy-pencil.py'
INJECTED = 'pix2pix/pix2pix_resnet_toy-pencil_gaussian-v0.08.py'
SWEEP = 'gni_grid'
IMAGE = 'chelsea/000_096'
SHORT = ['train_cfg.max_iters=150']


def commands(work_dir: Path, short: bool) -> list[Step]:
    """Return the five commands, as a user would type them."""
    options = SHORT if short else []
    runs = ((CLEAN, work_dir / 'clean'), (INJECTED, work_dir / 'injected'))
    trainings = [train_step(config, folder, options=options) for config, folder in runs]
    sweeps = [sweep_step(config, folder, SWEEP, options=options) for config, folder in runs]
    folders = [str(folder) for _, folder in runs]
    return [*trainings, *sweeps, ['report.py', *folders, '-o', str(work_dir), '--image', IMAGE]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/quickstart'))
    parser.add_argument('--short', action='store_true', help='a tenth of the training; for checks')
    args = parser.parse_args()
    start = time.monotonic()
    steps = commands(args.work_dir, args.short)
    for number, step in enumerate(steps, 1):
        run_numbered(step, number, len(steps))
    print(f'\ndone in {(time.monotonic() - start) / 60:.1f} minutes')


if __name__ == '__main__':
    main()

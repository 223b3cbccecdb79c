"""Look over the installation: versions, pairings, devices, folders, extras, and how to mend them.

Exit code: 0 if nothing must be mended, else 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from noiseedit.doctor import diagnose
from noiseedit.version import __version__


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs'), help='for results')
    parser.add_argument('--cache', type=Path, default=Path('work_dirs/cache'), help='for caches')
    args = parser.parse_args()
    print(f'noiseedit {__version__}')
    findings = diagnose((args.work_dir, args.cache))
    for finding in findings:
        print(finding)
    problems = sum(finding.state == 'problem' for finding in findings)
    print(f'{problems} problem(s)' if problems else 'all well')
    return int(problems > 0)


if __name__ == '__main__':
    raise SystemExit(main())

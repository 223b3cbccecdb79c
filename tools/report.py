"""Compare sweeps: one self-contained HTML page with tables, curves and pictures."""

from __future__ import annotations

import argparse

from noiseedit.cli import run

EXAMPLES = """examples:
  python tools/report.py work_dirs/a                      report on one sweep
  python tools/report.py work_dirs/clean work_dirs/noisy  the first is the baseline
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('folders', nargs='+', help='work folders with a sweep.json')
    parser.add_argument('-o', '--out', help='folder of the report (default: the last work folder)')
    parser.add_argument('--image', metavar='KEY', help='image of the picture grids')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from noiseedit.report.write import summary_lines, write_report

    files = write_report(args.folders, args.out or args.folders[-1], args.image)
    for line in summary_lines(args.folders):
        print(line)
    print(f'report: {files[0]}')


if __name__ == '__main__':
    run(main)

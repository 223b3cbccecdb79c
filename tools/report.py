"""Compare sweeps: one self-contained HTML page with tables, curves and pictures."""

from __future__ import annotations

import argparse

from noiseedit.cli import run

EXAMPLES = """examples:
  python tools/report.py work_dirs/a                      report on one sweep
  python tools/report.py work_dirs/clean work_dirs/noisy  the first is the baseline
  python tools/report.py work_dirs/clean work_dirs/noisy --theory work_dirs/advice
                                                          with what tools/advise.py predicts
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
    parser.add_argument(
        '--theory', metavar='ADVICE', help='advice.json of tools/advise.py, or its folder: draws '
        'the predicted divergence over the measured curves',
    )  # fmt: skip
    parser.add_argument(
        '--train-variance', nargs='+', type=float, metavar='V', help='variance of the training '
        "noise of each sweep's model, in the advice's value range (default: as the sweeps say)",
    )  # fmt: skip
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from noiseedit.report.write import summary_lines, write_report

    theory = {'theory': args.theory, 'train_variances': args.train_variance}
    files = write_report(args.folders, args.out or args.folders[-1], args.image, **theory)
    for line in summary_lines(args.folders, **theory):
        print(line)
    print(f'report: {files[0]}')


if __name__ == '__main__':
    run(main)

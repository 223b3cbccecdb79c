"""Recommend how much noise to train with, from images and the noise at test."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from noiseedit.cli import run
from noiseedit.errors import ConfigError

EXAMPLES = """examples:
  python tools/advise.py photos --noise gaussian --max-sigma 51 --range "[-1,1]"
  python tools/advise.py photos --noise color --max-variance 0.16 --range "[-1,1]" --rule matched
  python tools/advise.py photos --deployment noisy_samples --range "[0,1]"
  python tools/advise.py photos --max-sigma 51 --range "[-1,1]" --write-config my_baseline.py
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('folder', help='images of the source domain')
    parser.add_argument(
        '--noise', default='gaussian', help='noise at test: preset or class (%(default)s)'
    )
    add_level_arguments(parser)
    parser.add_argument('--rule', default='average', help='average, minimax, clean or matched')
    parser.add_argument(
        '--budget', type=float, default=0.1, help='of the clean rule, nats per dimension (0.1)'
    )
    add_data_arguments(parser)
    parser.add_argument('--seed', type=int, default=0, help='of the noise that is measured')
    parser.add_argument('-o', '--out', help='results (default: work_dirs/advice/<folder name>)')
    parser.add_argument(
        '--write-config', metavar='BASELINE', help='write its noise-injected variant as well'
    )
    parser.add_argument(
        '--config-out',
        metavar='PATH',
        help='file or folder of that config (default: the folder of the results)',
    )
    return parser.parse_args()


def add_level_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--range',
        dest='value_range',
        help='what the network gets: "[-1,1]", "[0,1]" or 255 (assumed with a warning: [-1,1])',
    )
    level = parser.add_argument_group('level at test', 'exactly one')
    level.add_argument('--max-sigma', type=float, help='largest, in 8-bit units: 51')
    level.add_argument('--max-variance', type=float, help='largest, in the range of the network')
    level.add_argument('--deployment', metavar='FOLDER', help='noisy images as they come at test')


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--patch-size', type=int, default=8, help='pixels (%(default)s)')
    parser.add_argument('--channels', default='luma', help='luma, rgb or each (%(default)s)')
    parser.add_argument('--limit', type=int, metavar='N', help='only N images, evenly spread')
    parser.add_argument(
        '--data-noise', action='store_true', help='take the noise of the images themselves off'
    )
    parser.add_argument('--workers', type=int, default=1, help='processes (%(default)s)')


def options(args: argparse.Namespace) -> dict[str, Any]:
    own = ('folder', 'noise', 'out', 'write_config', 'config_out')
    return {name: value for name, value in vars(args).items() if name not in own}


def output_folder(args: argparse.Namespace) -> Path:
    """Return where results go; an error, before any work, if there is something else."""
    out = Path(args.out or Path('work_dirs') / 'advice' / Path(args.folder).resolve().name)
    if out.exists() and not out.is_dir():
        raise ConfigError(f'{out}: is a file; --out takes a folder')
    return out


def main() -> None:
    args = parse_args()
    from noiseedit.advice import advise, load_baseline, write_config
    from noiseedit.advice.progress import show
    from noiseedit.registry import load_plugins

    load_plugins()
    out = output_folder(args)
    if args.write_config:
        load_baseline(args.write_config)  # before the work, not after it
    advice = advise(args.folder, args.noise, progress=show, **options(args))
    from noiseedit.report.advice import advice_text, write_advice

    print(advice_text(advice))
    files = write_advice(advice, out)
    print(f'advice: {", ".join(file.name for file in files)} in {out}')
    if args.write_config:
        print(f'config: {write_config(advice, args.write_config, args.config_out or out)}')


if __name__ == '__main__':
    run(main)

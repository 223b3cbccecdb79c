"""Study noise injection: train each model clean and injected, sweep both, write one page.

A study is a file (or a name of configs/studies), or a list of models on the command line. Finished
trainings and sweeps are not run again, so the same command continues an interrupted study.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noiseedit.cli import run

if TYPE_CHECKING:
    from noiseedit.study import Study

EXAMPLES = """examples:
  python tools/study.py gni_toy                          a shipped study
  python tools/study.py my_study.py --repetitions 5 --limit 100
  python tools/study.py --model unet pix2pix/pix2pix_unet256_paired-folder.py gaussian_v0.08 \\
                        --sweep gni_grid                 models: NAME BASELINE INJECTED
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('study', nargs='?', help='study file, or the name of a shipped one')
    parser.add_argument(
        '--model', nargs=3, action='append', metavar=('NAME', 'BASELINE', 'INJECTED'),
        help='a model instead of a study file; INJECTED is a recipe, or a noise for BASELINE',
    )  # fmt: skip
    parser.add_argument('--work-dir', type=Path, help='results (default: work_dirs/<study>)')
    parser.add_argument('--sweep', nargs='+', metavar='NAME_OR_FILE', help='sweeps, put together')
    parser.add_argument('--repetitions', type=int, metavar='N', help='draws of every noise')
    parser.add_argument('--limit', type=int, metavar='N', help='only the first N test images')
    parser.add_argument('--seed', type=int, help='base seed of all trainings')
    parser.add_argument('--short', action='store_true', help='the short form of the study')
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE',
        help='override keys of every config',
    )  # fmt: skip
    parser.add_argument('--dry-run', action='store_true', help='print the commands, run nothing')
    args = parser.parse_args()
    if bool(args.study) == bool(args.model):
        parser.error('expected a study file, or --model NAME BASELINE INJECTED, not both')
    if args.model and not args.sweep:
        parser.error('--model: name a sweep too, e.g. --sweep gni_grid')
    return args


def study_of(args: argparse.Namespace) -> Study:
    from noiseedit.study import load_study, make_study

    changes: dict[str, Any] = {
        'sweep': args.sweep,
        'repetitions': args.repetitions,
        'limit': args.limit,
        'seed': args.seed,
        'short': args.short,
        'options': args.cfg_options,
    }
    if args.study:
        return load_study(args.study, changes)
    names = ('name', 'baseline', 'injected')
    models = [dict(zip(names, model, strict=True)) for model in args.model]
    return make_study({'models': models, 'sweep': args.sweep}, changes, '--model')


def main() -> None:
    args, start = parse_args(), time.monotonic()
    from noiseedit.registry import load_plugins
    from noiseedit.study import folders_of, parts_of, print_parts, run_parts

    load_plugins()
    study = study_of(args)
    work_dir = args.work_dir or Path('work_dirs') / Path(args.study or 'study').stem
    parts = parts_of(study, work_dir)
    if args.dry_run:
        print_parts(parts)
        return
    run_parts(parts)
    from noiseedit.report.study import write_study

    images = {model.name: model.image or study.image for model in study.models}
    files = write_study(folders_of(study, work_dir), work_dir, images, f'Study {work_dir.name}')
    print(f'\n{files[1].read_text()}')
    print(f'study: {files[0]} ({(time.monotonic() - start) / 60:.1f} minutes)')


if __name__ == '__main__':
    run(main)

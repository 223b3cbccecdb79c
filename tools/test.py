"""Test a checkpoint: score it as its config says, or sweep it over noises and levels."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from noiseedit.cli import add_config_arguments, config_from, print_config, run

if TYPE_CHECKING:
    from mmengine.config import Config

EXIT_NAN = 1
EXAMPLES = """examples:
  python tools/test.py CONFIG CHECKPOINT --out scores.json
  python tools/test.py CONFIG CHECKPOINT --sweep gni_grid
  python tools/test.py CONFIG WORK_DIR --sweep my_sweep.py --limit 20
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint, or a work folder (its newest complete one)')
    parser.add_argument('--out', metavar='FILE.json', help='write {metric name: value}')
    parser.add_argument(
        '--sweep',
        metavar='NAME_OR_FILE',
        help='sweep of configs/_base_/sweeps, or a file; without --out nothing else is tested',
    )
    parser.add_argument('--save-images', metavar='DIR', help='write every prediction as PNG')
    parser.add_argument(
        '--ema', choices=('auto', 'on', 'off'), default='auto', help='use the moving average'
    )
    parser.add_argument('--limit', type=int, metavar='N', help='only the first N images')
    return parser.parse_args()


def checkpoint_file(args: argparse.Namespace) -> str:
    """Return the checkpoint; of a folder the newest complete one."""
    from noiseedit.engine.checkpoint import latest_valid, load_checkpoint
    from noiseedit.errors import CheckpointError

    found: Path | None = Path(args.checkpoint)
    if found.is_dir():
        found = latest_valid(found, args.trust_checkpoint)
    if found is None:
        raise CheckpointError(f'{args.checkpoint}: no checkpoint in this folder')
    if args.ema == 'on' and 'ema_state_dict' not in load_checkpoint(found, args.trust_checkpoint):
        raise CheckpointError(f'{found}: --ema on, but it holds no moving average')
    return str(found)


def test_once(config: Config, args: argparse.Namespace) -> dict[str, float]:
    """Test as the config says; print the scores and write them."""
    from mmengine.dist import is_main_process

    from noiseedit.engine import build_runner
    from noiseedit.evaluation import SaveImagesHook
    from noiseedit.report.tables import scores_markdown
    from noiseedit.report.write import write_scores

    runner = build_runner(config, args.trust_checkpoint)
    if args.save_images:
        runner.register_hook(SaveImagesHook(args.save_images))
    found = runner.test()
    metrics = runner.test_loop.evaluator.metrics
    records = {metric.name: metric.records for metric in metrics if hasattr(metric, 'records')}
    sets = {k: v for metric in metrics for k, v in getattr(metric, 'values', {}).items()}
    if is_main_process():
        write_scores(found, records, config.work_dir, args.out)
        print(f'\n{scores_markdown(records, sets)}')
        print(f'results: {args.out or Path(config.work_dir) / "test_images.csv"}')
    return found


def test_sweep(config: Config, args: argparse.Namespace) -> dict[str, float]:
    """Run the sweep; print its table and write its files."""
    from mmengine.dist import is_main_process

    from noiseedit.engine import build_runner
    from noiseedit.evaluation import load_sweep
    from noiseedit.evaluation.setup import for_sweep
    from noiseedit.report.tables import sweep_markdown
    from noiseedit.report.write import write_sweep

    config = for_sweep(config, load_sweep(args.sweep), args.save_images)
    runner = build_runner(config, args.trust_checkpoint)
    found = runner.test()
    if is_main_process():
        files = write_sweep(config.work_dir)
        print(f'\n{sweep_markdown(runner.test_loop.result)}')
        print(f'results: {", ".join(map(str, files))}')
    return found


def main() -> int:
    args = parse_args()
    config = config_from(args, noise_for='test')
    from noiseedit.evaluation.setup import for_testing

    config = for_testing(config, checkpoint_file(args), args.ema, args.limit)
    if args.print_config:
        print_config(config)
        return 0
    found = {}
    if args.out or not args.sweep:
        found |= test_once(config, args)
    if args.sweep:
        found |= test_sweep(config, args)
    broken = [name for name, value in found.items() if math.isnan(value)]
    if broken:
        print(f'error: NaN in {", ".join(broken)}: the model made NaN or infinite pixels')
    return EXIT_NAN if broken else 0


if __name__ == '__main__':
    run(main)

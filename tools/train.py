"""Train what a config describes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from noiseedit.cli import add_config_arguments, config_from, print_config, run

if TYPE_CHECKING:
    from mmengine.config import Config

EXAMPLES = """examples:
  python tools/train.py CONFIG
  python tools/train.py CONFIG --noise nrgan/G --cfg-options noise.train.sigma=50
  python tools/train.py CONFIG --resume        continue from the newest complete checkpoint
  tools/dist_train.sh CONFIG 4                 four processes
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='auto|PATH',
        help='continue from the newest checkpoint of the work folder, if any, or from PATH',
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const='bf16',
        choices=('bf16', 'fp16'),
        help='mixed precision (without a value: bf16)',
    )
    return parser.parse_args()


def training_config(args: argparse.Namespace) -> Config:
    config = config_from(args)
    if args.resume is not None:
        config.resume = 'auto' if args.resume == 'auto' else True
        config.load_from = config.get('load_from') if args.resume == 'auto' else args.resume
    if args.amp:
        from noiseedit.engine.amp import enable_amp

        enable_amp(config.optim_wrapper, args.amp)
    return config


def main() -> None:
    args = parse_args()
    config = training_config(args)
    if args.print_config:
        print_config(config)
        return
    from noiseedit.engine import build_runner

    build_runner(config, args.trust_checkpoint).train()


if __name__ == '__main__':
    run(main)

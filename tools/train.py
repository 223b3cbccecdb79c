"""Train what a config describes.

python tools/train.py CONFIG
python tools/train.py CONFIG --noise nrgan/G --cfg-options noise.train.sigma=50
python tools/train.py CONFIG --resume          # continue from the newest complete checkpoint
tools/dist_train.sh CONFIG 4                   # four processes
"""

from __future__ import annotations

import argparse

from noiseedit.cli import add_config_arguments, config_from, print_config, run


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
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
        help='mixed precision (default of the flag: bf16)',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    config = config_from(args)
    if args.resume is not None:
        config.resume = True
        config.load_from = None if args.resume == 'auto' else args.resume
    if args.print_config and args.amp is None:
        return print_config(config)
    from noiseedit.engine import amp, build_runner

    if args.amp:
        amp.enable_amp(config.optim_wrapper, args.amp)
    if args.print_config:
        return print_config(config)
    build_runner(config, args.trust_checkpoint).train()


if __name__ == '__main__':
    run(main)

"""Use a trained model: generate images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noiseedit import cli

if TYPE_CHECKING:
    from noiseedit.models import EditModel

EXAMPLES = """examples:
  python tools/infer.py sample CONFIG CHECKPOINT --out samples -n 1000
  python tools/infer.py sample CONFIG WORK_DIR --out samples --grid --interpolate 6 --noise-map
"""
IN_GRID = 64
IN_NOISE_MAP = 1024


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    _add_sample(commands)
    return parser.parse_args()


def _add_sample(commands: Any) -> None:
    sample = commands.add_parser(
        'sample',
        help='images of a generative model, and pictures of the noise that it learnt',
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cli.add_model_arguments(sample)
    sample.add_argument('checkpoint', help='checkpoint, or a work folder (its newest complete one)')
    sample.add_argument('--out', required=True, type=Path, metavar='DIR', help='000000.png ...')
    sample.add_argument(
        '-n', type=int, default=64, metavar='N', help='images (%(default)s); those there are kept'
    )
    sample.add_argument('--batch-size', type=int, default=64, help='default: %(default)s')
    sample.add_argument(
        '--grid',
        action='store_true',
        help=f'grid.png: clean | noise | noisy, at most {IN_GRID}; or a row per class',
    )
    sample.add_argument(
        '--interpolate',
        type=int,
        default=0,
        metavar='K',
        help='interpolations.png: what lies between the two images of K pairs',
    )
    sample.add_argument(
        '--noise-map', action='store_true', help='noise_level_map.png: learnt level per pixel'
    )
    sample.add_argument(
        '--class',
        dest='label',
        type=int,
        metavar='K',
        help='class of all images, of a model that knows classes (default: drawn for each)',
    )
    sample.add_argument(
        '--no-ema', action='store_true', help='plain weights instead of their moving average'
    )


def sample(args: argparse.Namespace) -> None:
    from noiseedit.errors import ConfigError

    if min(args.n, args.batch_size, args.interpolate + 1) < 1:
        raise ConfigError(
            f'expected -n and --batch-size of at least 1 and --interpolate of at least 0, got '
            f'{args.n}, {args.batch_size} and {args.interpolate}'
        )
    config = cli.model_config_from(args)
    from noiseedit.inference import find_checkpoint, load_model, record
    from noiseedit.inference.sampling import check_class

    checkpoint, ema = find_checkpoint(args.checkpoint, args.trust_checkpoint), _ema(args)
    needs = ('degradation',) if args.grid or args.noise_map else ()
    model = load_model(config, checkpoint, ema=ema, trust=args.trust_checkpoint, needs=needs)
    check_class(model, args.label)
    made_with = record.describe(
        args.config, checkpoint, ema=ema, seed=args.seed or 0, label=args.label
    )
    record.open_folder(args.out, made_with)
    _write_images(model, args)
    results = {'images': args.n, **_pictures(model, args)}
    record.close_folder(args.out, made_with, results)
    print(f'{args.n} images -> {args.out}')


def _ema(args: argparse.Namespace) -> Any:
    return 'off' if args.no_ema else 'auto'


def _write_images(model: EditModel, args: argparse.Namespace) -> None:
    from rich.progress import Progress

    from noiseedit.inference.sampling import write_samples

    seed, size = args.seed or 0, args.batch_size
    done = write_samples(model, args.out, args.n, seed=seed, batch_size=size, label=args.label)
    with Progress() as progress:
        task = progress.add_task('images', total=args.n)
        for count in done:
            progress.update(task, completed=count)


def _pictures(model: EditModel, args: argparse.Namespace) -> dict[str, Any]:
    """Draw what was asked for; return what it shows in numbers."""
    from noiseedit.report import generated

    seed = args.seed or 0
    results: dict[str, Any] = {}
    if args.grid:
        generated.write_grid(model, args.out / 'grid.png', min(args.n, IN_GRID), seed)
    if args.interpolate:
        path = args.out / 'interpolations.png'
        generated.write_interpolations(model, path, args.interpolate, seed, args.label)
    if args.noise_map:
        path, count = args.out / 'noise_level_map.png', min(args.n, IN_NOISE_MAP)
        results['noise'] = generated.write_level(model, path, count, seed, args.batch_size)
        print(results['noise']['text'])
    return results


COMMANDS = {'sample': sample}


def main() -> None:
    args = parse_args()
    COMMANDS[args.command](args)


if __name__ == '__main__':
    cli.run(main)

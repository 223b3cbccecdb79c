"""Use a trained model: generate images, restore images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noiseedit import cli

if TYPE_CHECKING:
    from noiseedit.inference.restore_files import Job, Outcome
    from noiseedit.inference.restoring import Restorer
    from noiseedit.models import EditModel

EXAMPLES = """examples:
  python tools/infer.py sample CONFIG CHECKPOINT --out samples -n 1000
  python tools/infer.py sample CONFIG WORK_DIR --out samples --grid --interpolate 6 --noise-map
"""
RESTORE_EXAMPLES = """examples:
  python tools/infer.py restore dncnn/dncnn_gray_awgn25.py dncnn25.pth photo.png -o clean.png
  python tools/infer.py restore ffdnet/ffdnet_gray_awgn.py ffdnet.pth noisy -o restored \\
      --noise-level 25 --compare clean --grid grid.png
  python tools/infer.py restore CONFIG WORK_DIR scans -o restored --tile 512
"""
IN_GRID = 64
ROWS_OF_RESTORED = 6
IN_NOISE_MAP = 1024


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    _add_sample(commands)
    _add_restore(commands)
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


def _add_restore(commands: Any) -> None:
    restore = commands.add_parser(
        'restore',
        help='denoise, or translate, an image or a folder',
        epilog=RESTORE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cli.add_model_arguments(restore)
    restore.add_argument(
        'checkpoint', help='checkpoint, or a work folder (its newest complete one)'
    )
    restore.add_argument('input', type=Path, metavar='INPUT', help='image, or folder of images')
    restore.add_argument(
        '-o',
        '--out',
        required=True,
        type=Path,
        metavar='OUT',
        help='file, or folder: same names, PNG; results there are kept',
    )
    restore.add_argument(
        '--noise-level',
        type=_noise_level,
        metavar='SIGMA|estimate',
        help='standard deviation of the noise in 8-bit units, for networks that are told (FFDNet)',
    )
    restore.add_argument(
        '--tile', type=int, metavar='SIZE', help='large images in tiles of this side in pixels'
    )
    restore.add_argument(
        '--halo',
        type=int,
        metavar='PIXELS',
        help='overlap of tiles at each side (default: measured, as much as the network sees)',
    )
    restore.add_argument(
        '--batch-size', type=int, default=1, metavar='N', help='tiles at once (%(default)s)'
    )
    restore.add_argument(
        '--self-ensemble',
        action='store_true',
        help='mean over the eight flips and turns: eight times the work',
    )
    restore.add_argument(
        '--color',
        choices=('channels', 'grey'),
        default='channels',
        help='colour images through a grey network: R, G, B one by one, or as grey (%(default)s)',
    )
    restore.add_argument(
        '--ema',
        action=argparse.BooleanOptionalAction,
        help='weights: their moving average (default: if the checkpoint has one)',
    )
    restore.add_argument(
        '--compare', type=Path, metavar='CLEAN', help='PSNR and SSIM against these clean images'
    )
    restore.add_argument(
        '--grid', type=Path, metavar='FILE', help=f'picture of the first {ROWS_OF_RESTORED}'
    )
    restore.add_argument(
        '--max-pixels', type=int, metavar='N', help='refuse larger files (default: 64 million)'
    )


def _noise_level(text: str) -> float | str:
    try:
        return text if text == 'estimate' else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number or 'estimate', got {text!r}") from None


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


def restore(args: argparse.Namespace) -> None:
    from noiseedit.errors import ConfigError, DataError

    if args.noise is not None:
        raise ConfigError('restore adds no noise; tools/noise.py apply makes noisy images')
    config = cli.model_config_from(args)
    from noiseedit.inference import find_checkpoint, load_model, record
    from noiseedit.inference.restore_files import plan_jobs
    from noiseedit.inference.restoring import Restorer
    from noiseedit.report import restored

    jobs = plan_jobs(args.input, args.out, args.compare)
    checkpoint = find_checkpoint(args.checkpoint, args.trust_checkpoint)
    ema = {None: 'auto', True: 'on', False: 'off'}[args.ema]
    model = load_model(config, checkpoint, ema=ema, trust=args.trust_checkpoint)  # type: ignore[arg-type]
    restorer = Restorer(
        model,
        level=args.noise_level,
        tile=args.tile,
        halo=args.halo,
        batch=args.batch_size,
        ensemble=args.self_ensemble,
        color=args.color,
    )
    made_with = record.made_with(args.config, checkpoint, ema=ema, **_decisive(args, restorer))
    to_folder = jobs[0].target != args.out
    if to_folder:
        record.open_folder(args.out, made_with, record.RESTORED)
    outcomes = _restore_all(restorer, jobs, args, keep=to_folder)
    if to_folder:
        record.close_folder(args.out, made_with, restored.results(outcomes), record.RESTORED)
    if args.grid:
        restored.write_grid(outcomes, args.grid, ROWS_OF_RESTORED)
    print(restored.summary(outcomes, args.out, args.color))
    if failed := restored.failures(outcomes):
        raise DataError(failed)


def _decisive(args: argparse.Namespace, restorer: Restorer) -> dict[str, Any]:
    """Return what the results depend on: tiles only where they are not as the whole image."""
    tiles = restorer.tiles if not restorer.is_exact else None
    folder = args.input if args.input.is_dir() else args.input.parent
    return {
        'input': str(folder.resolve()),
        'options': list(args.cfg_options),
        'noise_level': 'estimate' if callable(restorer.level) else restorer.level,
        'tiles': None if tiles is None else [tiles.size, tiles.halo],
        'self_ensemble': args.self_ensemble,
        'color': args.color,
    }


def _restore_all(
    restorer: Restorer, jobs: list[Job], args: argparse.Namespace, *, keep: bool
) -> list[Outcome]:
    from rich.progress import Progress

    from noiseedit.imaging import MAX_PIXELS
    from noiseedit.inference.restore_files import restore_jobs
    from noiseedit.report import restored

    outcomes: list[Outcome] = []
    with Progress() as progress:
        images = progress.add_task('images', total=len(jobs))
        tiles = progress.add_task('tiles', visible=args.tile is not None, total=None)
        limit = MAX_PIXELS if args.max_pixels is None else args.max_pixels
        told = restored.Teller(restorer, lambda text: progress.print(text, soft_wrap=True))
        for outcome in restore_jobs(
            restorer,
            jobs,
            keep=keep,
            max_pixels=limit,
            done=lambda count, total: progress.update(tiles, completed=count, total=total),
        ):
            outcomes.append(outcome)
            progress.advance(images)
            told.about(outcome)
    return outcomes


COMMANDS = {'sample': sample, 'restore': restore}


def main() -> None:
    args = parse_args()
    COMMANDS[args.command](args)


if __name__ == '__main__':
    cli.run(main)

"""List noises, show, apply, transfer that of a photograph, measure its level, draw its curves."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noiseedit import cli

if TYPE_CHECKING:
    from noiseedit.inference.transfer_files import Transfer
    from noiseedit.inference.transferred_noise import TransferredNoise


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    commands.add_parser('list', help='every class and preset in one line')

    show = commands.add_parser('show', help='one labelled picture of all noises on an image')
    show.add_argument('image', nargs='?', help='default: a photograph of scikit-image')
    show.add_argument('-o', '--out', default='noises.png', help='default: %(default)s')
    show.add_argument('--noise', nargs='+', metavar='NAME', help='only these classes or presets')
    show.add_argument('--crop', type=int, default=144, help='side of a tile (%(default)s pixels)')
    show.add_argument('--columns', type=int, default=5, help='tiles per row (%(default)s)')
    show.add_argument('--seed', type=int, default=0)
    show.add_argument('--colors', type=int, help='small palette PNG of that many colours')

    apply = commands.add_parser('apply', help='corrupt a file, or every image of a folder')
    apply.add_argument('noise', metavar='NOISE', help='preset, or class at its example')
    apply.add_argument('source', metavar='INPUT', type=Path)
    apply.add_argument('-o', '--out', required=True, type=Path, metavar='OUTPUT')
    apply.add_argument('--level', type=float, help='another level, in the unit of the noise')
    apply.add_argument(
        '--options', nargs='+', default=[], metavar='KEY=VALUE', help='arguments of the noise'
    )
    apply.add_argument('--seed', type=int, default=0)

    _add_transfer(commands)
    curves = commands.add_parser('curves', help='variance and correlation of the noise in images')
    curves.add_argument('clean', metavar='CLEAN', type=Path)
    curves.add_argument('noisy', metavar='NOISY', nargs='+', type=Path, help='of the same scene')
    curves.add_argument('-o', '--out', default='noise_curves.png', help='default: %(default)s')
    curves.add_argument('--gaussian', action='store_true', help='beside the best Gaussian noise')

    level = commands.add_parser('level', help='how noisy images are, from each of them alone')
    level.add_argument('sources', metavar='IMAGE|FOLDER', nargs='+', type=Path)
    level.add_argument('-o', '--out', metavar='FILE', help='picture: noise over intensity')
    level.add_argument(
        '--correlated', action='store_true', help='neighbours share noise, as in camera files'
    )
    return parser.parse_args()


def _add_transfer(commands: Any) -> None:
    transfer = commands.add_parser(
        'transfer', help='noise like that of one image on others, by a trained NoiseTransfer'
    )
    transfer.add_argument(
        '--reference', required=True, type=Path, metavar='NOISY', help='image, or folder of them'
    )
    transfer.add_argument(
        '--clean', required=True, type=Path, metavar='CLEAN', help='image, or folder of them'
    )
    transfer.add_argument(
        '--ckpt', required=True, type=Path, help='trained or converted checkpoint, or work folder'
    )
    transfer.add_argument('--config', help='of a model with other networks than the published')
    transfer.add_argument(
        '-o',
        '--out',
        type=Path,
        metavar='DIR',
        help='8-bit PNG; those there are kept (default: work_dirs/transferred/<reference>)',
    )
    transfer.add_argument('--seed', type=int, default=0)
    transfer.add_argument(
        '--samples', type=int, default=1, metavar='K', help='noisy versions, in folders 0 ... K-1'
    )
    transfer.add_argument(
        '--tile', type=int, metavar='SIZE', help='larger images in tiles of this side (640)'
    )
    transfer.add_argument(
        '--figure', type=Path, metavar='FILE', help='picture of the first image and its noise'
    )
    transfer.add_argument(
        '--real', type=Path, metavar='NOISY', help='its real noisy version, for the picture'
    )
    transfer.add_argument(
        '--device', metavar='cpu|cuda|cuda:N', help='default: a GPU if there is one'
    )


def list_noises(args: argparse.Namespace) -> None:
    from noiseedit.report.noise_list import noise_list

    print(noise_list())


def show_noises(args: argparse.Namespace) -> None:
    from noiseedit.imaging import read_image
    from noiseedit.report import noise_sheet as sheets

    image = read_image(args.image) if args.image else sheets.demo_image()
    noises = sheets.specs_by_name(args.noise) if args.noise else None
    options = {'crop': args.crop, 'columns': args.columns, 'seed': args.seed}
    sheets.write_sheet(args.out, sheets.noise_sheet(image, noises, **options), args.colors)
    print(args.out)


def apply_noise(args: argparse.Namespace) -> None:
    from rich.progress import track

    from noiseedit.config import parse_overrides
    from noiseedit.noises.build import build_named
    from noiseedit.noises.files import apply_to_files, plan

    noise = build_named(args.noise, **parse_overrides(args.options))
    noise = noise if args.level is None else noise.with_level(args.level)
    print(noise)
    total = len(plan(args.source, args.out))
    written = apply_to_files(noise, args.source, args.out, args.seed)
    for _ in track(written, description='images', total=total):
        pass
    print(f'{total} images -> {args.out}')


def transfer_noise(args: argparse.Namespace) -> None:
    cli.select_device(args.device)
    import torch
    from mmengine.device import get_device
    from rich.progress import track

    from noiseedit.inference import find_checkpoint, record, transfer_files
    from noiseedit.inference.noise_transfer import existing
    from noiseedit.inference.transferred_noise import TransferredNoise

    checkpoint, device = find_checkpoint(existing(args.ckpt)), get_device()
    tile = {} if args.tile is None else {'tile': args.tile}
    noise = TransferredNoise(
        checkpoint, args.reference, config=args.config, crop=None, clip=True, **tile
    )
    out = args.out or Path('work_dirs/transferred') / args.reference.stem
    jobs = transfer_files.plan_transfers(args.clean, out, args.samples)
    noise.per_sample(torch.zeros(1, 3, 8, 8, device=device), ['trial'])  # errors come before files
    made_with = record.made_with(
        args.config or '',
        checkpoint,
        seed=args.seed,
        reference=transfer_files.fingerprint(noise.references),
        clean=str(args.clean.resolve()),
        several=args.samples > 1,
    )
    record.open_folder(out, made_with, transfer_files.RECORD)
    written = transfer_files.write_transfers(noise, jobs, args.seed, device)
    for _ in track(written, description='images', total=len(jobs)):
        pass
    names = {'reference_files': str(args.reference), 'images': len(jobs)}
    record.close_folder(out, made_with, names, transfer_files.RECORD)
    if args.figure:
        _draw_transfer(args, noise, jobs[0])
    print(f'{len(jobs)} images -> {out}')


def _draw_transfer(args: argparse.Namespace, noise: TransferredNoise, job: Transfer) -> None:
    from noiseedit.imaging import read_image
    from noiseedit.report.transferred import draw_curves, draw_transfer

    drawn = noise.sample_params(1, noise.streams([job.key], args.seed, repetition=job.sample))
    files = {'clean': job.source, 'reference': noise.chosen_file(drawn), 'generated': job.target}
    files |= {} if args.real is None else {'real': args.real}
    images = {name: read_image(file) for name, file in files.items()}
    draw_transfer(images, args.figure)
    print(args.figure)
    if args.real is not None:
        path = args.figure.with_stem(f'{args.figure.stem}_curves')
        levels = draw_curves(images, path)
        print(', '.join(f'{name} noise {rms:.2f} grey levels' for name, rms in levels.items()))
        print(path)


def draw_curves(args: argparse.Namespace) -> None:
    from noiseedit.imaging import read_image
    from noiseedit.report.noise_curves import draw_noise_curves, with_gaussian

    clean = read_image(args.clean)
    noisy = {path.stem: read_image(path) for path in args.noisy}
    noisy = with_gaussian(noisy, clean) if args.gaussian else noisy
    for label, curve in draw_noise_curves(noisy, clean, args.out).items():
        low, high = curve.variance.min() ** 0.5, curve.variance.max() ** 0.5
        print(f'{label}: standard deviation {low:.2f} to {high:.2f} grey levels')
    print(args.out)


def measure_level(args: argparse.Namespace) -> None:
    from rich.progress import track

    from noiseedit.errors import DataError
    from noiseedit.report import noise_levels as levels

    files, failed = levels.image_files(args.sources), list[str]()
    estimates = levels.estimate_files(files, correlated=args.correlated, failed=failed)
    found = dict(track(estimates, description='images', total=len(files), transient=True))
    if found:
        print(levels.level_table(found))
        print(levels.config_line(found))
    if found and args.out:
        levels.draw_levels(found, args.out)
        print(args.out)
    if failed:
        listed = ''.join(f'\n  {text}' for text in failed)
        images = 'image' if len(files) == 1 else 'images'
        raise DataError(f'{len(failed)} of {len(files)} {images} failed:{listed}')


COMMANDS = {
    'list': list_noises,
    'show': show_noises,
    'apply': apply_noise,
    'transfer': transfer_noise,
    'curves': draw_curves,
    'level': measure_level,
}


def main() -> None:
    args = parse_args()
    from noiseedit.registry import load_plugins

    load_plugins()
    COMMANDS[args.command](args)


if __name__ == '__main__':
    cli.run(main)

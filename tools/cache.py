"""Decode a folder of images once, into a memory-mapped file that loads many times faster.

A data set finds it by its argument ``cache=FOLDER`` (it would also make it itself).
``python tools/cache.py crops LAYOUT DATA OUT`` cuts a published set into smaller PNG files instead.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from noiseedit.cli import run

DEFAULT_CACHE = 'work_dirs/cache'


def parse_store_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, help='folder of images, searched recursively')
    parser.add_argument('--out', default=DEFAULT_CACHE, help='cache folder (%(default)s)')
    parser.add_argument(
        '--channels', type=int, choices=(1, 3), default=3, help='as in the config (%(default)s)'
    )
    parser.add_argument('--ending', default='', help='only names that end so, as in the config')
    return parser.parse_args()


def make_store() -> int:
    args = parse_store_args()
    from noiseedit.datasets.folders import Folder

    folder = Folder(args.folder, args.channels, args.out, args.ending)
    store = folder.images
    unreadable = store.meta['unreadable'].values()
    for error in unreadable:
        print(f'unreadable: {error}')
    print(f'{store.source}: {len(store)} images, {store.flat.size / 2**20:.0f} MiB')
    print(f"in a config: train_dataloader = dict(dataset=dict(cache='{args.out}'))")
    return int(bool(unreadable))


def parse_crop_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='cache.py crops', description=make_crops.__doc__)
    parser.add_argument('layout', help='name of a published set: sidd_medium, div2k_train, ...')
    parser.add_argument('data', type=Path, help='its folder')
    parser.add_argument('out', type=Path, help='folder for the crops')
    parser.add_argument('--size', type=int, default=512, help='side of a crop (%(default)s pixels)')
    parser.add_argument('--stride', type=int, help='from crop to crop (default: the size)')
    parser.add_argument('--part', action='store_true', help='the set need not be complete')
    return parser.parse_args(sys.argv[2:])


def make_crops() -> int:
    """Cut the images of a published set into PNG files OUT/{source,target}/KEY/ROW_COLUMN.png."""
    args = parse_crop_args()
    from noiseedit.datasets.crops import write_crops
    from noiseedit.datasets.standard import StandardSet
    from noiseedit.datasets.store import progress

    images = StandardSet(args.data, args.layout, check_count=not args.part)
    crops = write_crops(images, args.out, args.size, args.stride)
    total = sum(progress(crops, len(images), 'cropping'))
    print(f'{len(images)} images, {total} crops -> {args.out}')
    return 0


def main() -> int:
    return make_crops() if sys.argv[1:2] == ['crops'] else make_store()


if __name__ == '__main__':
    run(main)

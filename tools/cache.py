"""Decode a folder of images once, into a memory-mapped file that loads many times faster.

A data set finds it by its argument ``cache=FOLDER`` (it would also make it itself).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from noiseedit.cli import run

DEFAULT_CACHE = 'work_dirs/cache'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, help='folder of images, searched recursively')
    parser.add_argument('--out', default=DEFAULT_CACHE, help='cache folder (%(default)s)')
    parser.add_argument(
        '--channels', type=int, choices=(1, 3), default=3, help='as in the config (%(default)s)'
    )
    parser.add_argument('--ending', default='', help='only names that end so, as in the config')
    args = parser.parse_args()

    from noiseedit.datasets.folders import Folder

    folder = Folder(args.folder, args.channels, args.out, args.ending)
    store = folder.images
    unreadable = store.meta['unreadable'].values()
    for error in unreadable:
        print(f'unreadable: {error}')
    print(f'{store.source}: {len(store)} images, {store.flat.size / 2**20:.0f} MiB')
    print(f"in a config: train_dataloader = dict(dataset=dict(cache='{args.out}'))")
    return int(bool(unreadable))


if __name__ == '__main__':
    run(main)

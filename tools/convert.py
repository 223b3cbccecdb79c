"""Turn released weights of a method into a checkpoint that tools/test.py loads."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from noiseedit import cli

if TYPE_CHECKING:
    from torch import Tensor


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('method', help='e.g. dncnn; an unknown one lists the nearest')
    parser.add_argument(
        'released',
        metavar='IN',
        nargs='+',
        type=Path,
        help='the released file; several where each network has its own (nr_gan: netG*, netGn*, '
        'netD*; noise_transfer: VUNet*, encoder_q*, encoder_k*)',
    )
    parser.add_argument('out', metavar='OUT', type=Path, help='the checkpoint to write')
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='read a file that holds code; only for files of a source you trust',
    )
    return parser.parse_args()


def read(method: str, file: Path, trust: bool) -> Mapping[str, Tensor]:
    from noiseedit.engine.checkpoint import load_checkpoint, weights_of
    from noiseedit.models import convert

    own = convert.reader(method, file)
    if own is not None:
        return own(file)
    return weights_of(convert.unwrapped(load_checkpoint(file, trust=trust)))


def main() -> None:
    args = parse_args()
    from noiseedit.engine.checkpoint import save_checkpoint
    from noiseedit.models import convert

    convert.converter(args.method)
    files = {str(file): read(args.method, file, args.trust_checkpoint) for file in args.released}
    converted = convert.convert(args.method, convert.join(args.method, files))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = convert.checkpoint(
        args.method, converted, ', '.join(file.name for file in args.released)
    )
    save_checkpoint(checkpoint, args.out)
    for name, network in converted.networks().items():
        settings = ', '.join(f'{key}={value!r}' for key, value in network.config.items())
        print(f'{name}: dict({settings})')
    weights = checkpoint['state_dict'].values()
    count = sum(tensor.numel() for tensor in weights)
    print(f'{len(weights)} tensors, {count:,} numbers -> {args.out}')


if __name__ == '__main__':
    cli.run(main)

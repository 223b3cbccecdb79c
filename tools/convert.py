"""Turn released weights of a method into a checkpoint that tools/test.py loads."""

from __future__ import annotations

import argparse
from pathlib import Path

from noiseedit import cli


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('method', help='e.g. dncnn; an unknown one lists the nearest')
    parser.add_argument('released', metavar='IN', help='the released file')
    parser.add_argument('out', metavar='OUT', type=Path, help='the checkpoint to write')
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='read a file that holds code; only for files of a source you trust',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from noiseedit.engine.checkpoint import load_checkpoint, save_checkpoint, weights_of
    from noiseedit.models import convert

    convert.converter(args.method)
    weights = weights_of(load_checkpoint(args.released, trust=args.trust_checkpoint))
    converted = convert.convert(args.method, weights)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = convert.checkpoint(args.method, converted, Path(args.released).name)
    save_checkpoint(checkpoint, args.out)
    count = sum(tensor.numel() for tensor in converted.state_dict.values())
    settings = ', '.join(f'{key}={value!r}' for key, value in converted.generator.items())
    print(f'found: dict({settings})')
    print(f'{len(converted.state_dict)} tensors, {count:,} numbers -> {args.out}')


if __name__ == '__main__':
    cli.run(main)

"""A small blind denoiser, trained on Train400 by two CPU cores, against published numbers.

Trains ``configs/dncnn/dncnn_small_gray_blind.py`` as tools/train.py does (an interrupted run is
continued), tests it on Set12 at sigma 15, 25 and 50, and draws PSNR at sigma 25 over iterations.

Writes ``denoiser_on_cpu.md`` and ``.png`` into the work folder.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from harness import DOCS, section, versions

from noiseedit.chain import run_step, step_text, train_step
from noiseedit.cli import run as run_main
from noiseedit.files import atomic_file
from noiseedit.report.look import line_look, new_figure, save_figure

NAME = 'denoiser_on_cpu'
CONFIG = 'noiseedit::dncnn/dncnn_small_gray_blind.py'
PUBLISHED = {
    'BM3D': {15: 32.37, 25: 29.97, 50: 26.72},
    'DnCNN-B of SaoYan/DnCNN-PyTorch': {15: 32.725, 25: 30.344, 50: 27.138},
}
"""PSNR on Set12 by sigma, as its authors' tables have it."""
MARGIN = 0.8
"""Below BM3D, in dB: what a network this small has to reach at sigma 25."""


def steps_of(args: argparse.Namespace) -> list[list[str]]:
    """Return training and tests as tools would be called."""
    data = [f'val_dataloader.dataset.data_root={args.data_root}/Set12']
    data += [f'{name}_dataloader.dataset.data_root={args.data_root}/{folder}'
             for name, folder in (('train', 'Train400'), ('test', 'Set12'))]  # fmt: skip
    train = train_step(CONFIG, args.work_dir, seed=args.seed, options=data)
    return [train, *(test_step(sigma, args.work_dir, data) for sigma in PUBLISHED['BM3D'])]


def test_step(sigma: int, work_dir: Path, data: list[str]) -> list[str]:
    """Return the test at one level."""
    out = ['--work-dir', str(work_dir), '--out', str(work_dir / f'sigma{sigma}.json')]
    options = ['--cfg-options', f'noise.test.sigma={sigma}', *data]
    return ['test.py', CONFIG, str(work_dir), *out, *options]


def validations(work_dir: Path) -> dict[int, float]:
    """Return iteration -> PSNR at sigma 25 on Set12."""
    lines = (json.loads(line) for line in log_lines(work_dir))
    return {
        int(line['step']): value
        for line in lines
        for name, value in line.items()
        if name.startswith('PSNR')
    }


def log_lines(work_dir: Path) -> Iterator[str]:
    """Yield the lines of all runs in order of time."""
    for file in sorted(work_dir.glob('*/vis_data/scalars.json')):
        yield from file.read_text().splitlines()


def seconds_of(work_dir: Path) -> float:
    """Return the time of all iterations, as logged per iteration; validation is not in it."""
    lines = [json.loads(line) for line in log_lines(work_dir)]
    rows = {int(line['step']): line['time'] for line in lines if 'loss' in line}
    steps = [0, *sorted(rows)]
    return sum(rows[b] * (b - a) for a, b in pairwise(steps))


def tested(work_dir: Path) -> dict[int, float]:
    """Return sigma -> PSNR of the last checkpoint."""
    scores = {s: json.loads((work_dir / f'sigma{s}.json').read_text()) for s in PUBLISHED['BM3D']}
    return {
        sigma: next(value for name, value in found.items() if name.startswith('PSNR'))
        for sigma, found in scores.items()
    }


def table(rows: dict[str, dict[int, float]]) -> str:
    """Return Markdown: a denoiser per row, a level per column."""
    sigmas = list(PUBLISHED['BM3D'])
    lines = [['PSNR on Set12 [dB]', *(f'sigma {sigma}' for sigma in sigmas)]]
    lines += [['---', *['---:'] * len(sigmas)]]
    lines += [[name, *(f'{row[sigma]:.2f}' for sigma in sigmas)] for name, row in rows.items()]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def draw(curve: dict[int, float], file: Path) -> None:
    """Draw PSNR over iterations, and the published numbers."""
    with new_figure(6.4, 3.6) as figure:
        axis = figure.subplots()
        axis.plot(list(curve), list(curve.values()), label='trained here', **line_look(0))
        for place, (name, row) in enumerate(PUBLISHED.items(), 1):
            axis.axhline(row[25], label=name, **{**line_look(place), 'marker': ''})
        goal = PUBLISHED['BM3D'][25] - MARGIN
        axis.axhline(goal, color='#888888', linestyle=':', label=f'BM3D less {MARGIN} dB')
        axis.set(xlabel='iteration', ylabel='PSNR on Set12, sigma 25 [dB]')
        axis.legend(loc='lower right')
        save_figure(figure, file)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs') / NAME)
    parser.add_argument('--data-root', default='data', help='holds Train400 and Set12')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--save', action='store_true', help='write into docs/')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    for step in steps_of(args):
        print(step_text(step), flush=True)
        run_step(step)
    scores, minutes = tested(args.work_dir), seconds_of(args.work_dir) / 60
    reached = scores[25] >= PUBLISHED['BM3D'][25] - MARGIN
    text = (
        f'Training: {minutes:.1f} minutes of iterations; sigma 25 against BM3D less {MARGIN} dB: '
        f'{"PASS" if reached else "MISS"}\n\n{table({"trained here": scores, **PUBLISHED})}\n'
    )
    stem = args.work_dir / NAME
    with atomic_file(stem.with_suffix('.md')) as temporary:
        temporary.write_text(text)
    draw(validations(args.work_dir), stem.with_suffix('.png'))
    with section(NAME, args.save):
        print(versions('torch', 'numpy') + '\n' + text)
    if args.save:
        shutil.copy(stem.with_suffix('.png'), DOCS.parent / 'images' / f'{NAME}.png')
    print(f'results: {stem}.md, {stem}.png')


if __name__ == '__main__':
    run_main(main)

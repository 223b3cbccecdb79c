"""NR-GAN on CIFAR-10: which of the models copy the noise of their data, and which learn images.

Trains GAN, AmbientGAN, SI-NR-GAN-I and -II on noise A (additive Gaussian, sigma 25) and
SD-NR-GAN-II on noise I (multiplicative), as tools/train.py does, and prints of every snapshot the
noise estimated in generated images, the level that the noise generator has learnt, the sliced
Wasserstein distance to clean images, and FID with --fid. An interrupted run is continued.

Writes ``nr_gan_cifar10.json``, ``.md``, ``.png`` and ``_samples.png`` into the work folder.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from harness import DOCS, section, versions

from noiseedit.chain import run_step, step_text, train_step
from noiseedit.cli import run as run_main
from noiseedit.files import atomic_file, write_json
from noiseedit.imaging import read_image, write_image
from noiseedit.report.look import line_look, new_figure, save_figure

NAME = 'nr_gan_cifar10'
CONFIGS = (
    'gan_cifar10_A',
    'ambientgan_cifar10_A',
    'sinrgan1_cifar10_A',
    'sinrgan2_cifar10_A',
    'sdnrgan2_cifar10_I',
)
EXPECTED_SIGMA = {'A': 2 * 25 / 255, 'I': 25 / 255}
"""Mean |sigma| in [-1, 1] of a Gaussian prior that has learnt the noise; of I at mid-grey."""
ESTIMATE, CLEAN_ESTIMATE = 'NoiseLevel(wavelet,unit=255)', 'NoiseLevel(wavelet,unit=255,gt)'
SWD = 'SWDx1e3(mean'
COLUMNS = {
    'noise in images': ESTIMATE,
    'in clean images': CLEAN_ESTIMATE,
    'mean sigma': 'noise/sigma',
    'SWD x 1e3': SWD,
    'FID': 'FID(',
}
"""Heading of the table -> start of the name in the log."""
Snapshot = dict[str, float]


class Plan(NamedTuple):
    """How large and how long: channels of all networks, images per step, iterations, snapshots.

    Attributes:
        images: Generated and compared at every snapshot.
        test_images: At the end.
    """

    channels: int
    batch_size: int
    iterations: int
    snapshot: int
    images: int
    test_images: int


FULL = Plan(128, 64, iterations=200_000, snapshot=5_000, images=5_000, test_images=50_000)
SHORT = Plan(16, 32, iterations=2_500, snapshot=250, images=1_000, test_images=4_000)


def config_text(name: str, plan: Plan, data_root: str, fid: bool) -> str:
    """Return a config: the shipped recipe, with what the plan changes."""
    degradation = {'network': {'channels': plan.channels}}
    metrics = [{'type': 'NoiseLevel'}, {'type': 'NoiseLevel', 'image': 'gt'}]
    metrics += [{'type': 'SlicedWasserstein'}, *([{'type': 'FID'}] if fid else [])]
    data = {'data_root': data_root}
    changes: dict[str, Any] = {
        'model': {
            'generator': {'channels': plan.channels},
            'discriminator': {'channels': plan.channels},
            **({'degradation': degradation} if 'nrgan' in name else {}),
        },
        'train_dataloader': {'batch_size': plan.batch_size, 'dataset': {'dataset': data}},
        'val_dataloader': {'dataset': {**data, 'length': plan.images}},
        'test_dataloader': {'dataset': {**data, 'length': plan.test_images}},
        'train_cfg': {'max_iters': plan.iterations, 'val_interval': plan.snapshot},
        'val_evaluator': metrics,
        'test_evaluator': metrics,
        'default_hooks': {'checkpoint': {'interval': plan.snapshot}},
        'custom_hooks': [
            {'type': 'ModuleEMAHook', 'modules': ['generator', 'degradation'], 'decay': 0.999},
            {'type': 'GeneratedGridHook', 'interval': plan.snapshot, 'count': 8},
        ],
    }
    lines = [f'_base_ = [{f"noiseedit::nr_gan/{name}.py"!r}]']
    return '\n'.join(lines + [f'{key} = {value!r}' for key, value in changes.items()]) + '\n'


def train(name: str, args: argparse.Namespace, plan: Plan) -> Path:
    """Train one model, unless it is trained; return its work folder."""
    folder: Path = args.work_dir / name
    config = args.work_dir / f'{name}.py'
    with atomic_file(config) as temporary:
        temporary.write_text(config_text(name, plan, args.data_root, args.fid))
    step = train_step(str(config), folder, seed=args.seed)
    done = (folder / f'iter_{plan.iterations}.pth').exists()
    print(step_text(step) + ('  # done before' if done else ''), flush=True)
    if not done:
        run_step(step)
    return folder


def final_scores(name: str, args: argparse.Namespace, plan: Plan) -> Snapshot:
    """Return the scores of the last checkpoint, from tools/test.py."""
    folder: Path = args.work_dir / name
    file, checkpoint = folder / 'scores.json', folder / f'iter_{plan.iterations}.pth'
    if not file.exists() or file.stat().st_mtime < checkpoint.stat().st_mtime:
        config, out = f'{folder}.py', ['--work-dir', str(folder), '--out', str(file)]
        step = ['test.py', config, str(checkpoint), *out]
        print(step_text(step), flush=True)
        run_step(step)
    scores: Snapshot = json.loads(file.read_text())
    return scores


def log_lines(folder: Path) -> Iterator[dict[str, float]]:
    """Yield what the training logged, in order of time, over all its runs."""
    for file in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in file.read_text().splitlines():
            yield json.loads(line)


def snapshots(folder: Path) -> list[Snapshot]:
    """Return what is known of every snapshot; the level learnt is that of the last log before."""
    found: dict[int, Snapshot] = {}
    sigma: dict[int, float] = {}
    for line in log_lines(folder):
        if 'noise/sigma' in line:
            sigma[int(line['step'])] = line['noise/sigma']
        if ESTIMATE in line:
            found[int(line['step'])] = dict(line)
    for step, line in found.items():
        before = [past for past in sigma if past <= step]
        line |= {'noise/sigma': sigma[max(before)]} if before else {}
    return [found[step] for step in sorted(found)]


def value_of(snapshot: Snapshot, start: str) -> float | None:
    """Return the value whose name begins with ``start``; None: there is none."""
    return next((value for name, value in snapshot.items() if name.startswith(start)), None)


def table(rows: dict[str, Snapshot], first: str) -> str:
    """Return rows of values as Markdown; columns without any value are left out."""
    cells = [[value_of(row, start) for start in COLUMNS.values()] for row in rows.values()]
    kept = [i for i in range(len(COLUMNS)) if any(row[i] is not None for row in cells)]
    lines = [' | '.join([first, *(list(COLUMNS)[i] for i in kept)])]
    lines += [' | '.join(['---', *['---:'] * len(kept)])]
    for name, row in zip(rows, cells, strict=True):
        shown = ['' if (value := row[i]) is None else f'{value:.4g}' for i in kept]
        lines += [' | '.join([name, *shown])]
    return '\n'.join(f'| {line} |' for line in lines)


def summary(
    found: dict[str, list[Snapshot]], final: dict[str, Snapshot], plan: Plan, seed: int
) -> str:
    """Return the text of the page: settings, the last checkpoints, a table per model."""
    lines = [
        f'{plan.channels} channels, batch {plan.batch_size} (generator {2 * plan.batch_size}), '
        f'{plan.iterations:,} iterations, seed {seed}; {plan.images:,} generated images per '
        f'snapshot, {plan.test_images:,} of the last checkpoint',
        '### Last checkpoints',
        table(final, 'model'),
    ]
    for name, rows in found.items():
        expected = EXPECTED_SIGMA[name[-1]]
        has_prior = value_of(rows[-1], 'noise/sigma') is not None
        learnt = f' (exact noise: mean sigma {expected:.3f})' if has_prior else ''
        steps = {f'{row["step"]:,}': row for row in rows}
        lines += [f'### {name}{learnt}', table(steps, 'iteration')]
    return '\n\n'.join(lines) + '\n'


def draw(found: dict[str, list[Snapshot]], clean: float, file: Path) -> None:
    """Draw noise in generated images, level learnt and distance over iterations."""
    panels = {
        ESTIMATE: 'noise in generated images\n[8-bit grey levels]',
        'noise/sigma': 'mean |sigma| learnt [-1, 1]',
        SWD: 'SWD x 1e3 to clean images',
    }
    known = {name for rows in found.values() for row in rows for name in row}
    panels = {s: text for s, text in panels.items() if any(k.startswith(s) for k in known)}
    with new_figure(12, 3.4) as figure:
        axes = figure.subplots(1, len(panels))
        for axis, (start, label) in zip(axes, panels.items(), strict=True):
            for place, (name, rows) in enumerate(found.items()):
                points = [(row['step'], value_of(row, start)) for row in rows]
                points = [(x, y) for x, y in points if y is not None]
                if points:
                    axis.plot(*zip(*points, strict=True), label=name, **line_look(place))
            axis.set(xlabel='iteration', ylabel=label)
        axes[0].axhline(clean, color='#888888', linestyle=':', label='clean photographs')
        for letter, sigma in EXPECTED_SIGMA.items():
            axes[1].axhline(sigma, color='#888888', linestyle=':')
            axes[1].text(
                0.01,
                sigma,
                f'noise {letter}',
                fontsize=7,
                va='bottom',
                transform=axes[1].get_yaxis_transform(),
            )
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside lower center', ncols=len(labels))
        save_figure(figure, file)


def sample_sheet(names: list[str], work_dir: Path, file: Path) -> None:
    """Put the last picture of generated images of every model below each other."""
    pictures = [read_image(max((work_dir / name / 'samples').glob('*.png'))) for name in names]
    width = max(picture.shape[1] for picture in pictures)
    rows = [np.pad(p, ((0, 8), (0, width - p.shape[1]), (0, 0))) for p in pictures]
    write_image(file, np.concatenate(rows))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='*', default=list(CONFIGS), help='of configs/nr_gan')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs') / NAME)
    parser.add_argument('--data-root', default='data/cifar10', help='where CIFAR-10 is')
    parser.add_argument('--iterations', type=int, help='200,000; with --short 2,500')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--short', action='store_true', help='narrow networks, for CPUs')
    parser.add_argument('--fid', action='store_true', help='also FID; needs its weights')
    parser.add_argument('--save', action='store_true', help='write into docs/')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    plan = SHORT if args.short else FULL
    if args.iterations:
        plan = plan._replace(
            iterations=args.iterations, snapshot=min(plan.snapshot, args.iterations)
        )
    found = {name: snapshots(train(name, args, plan)) for name in args.configs}
    final = {name: final_scores(name, args, plan) for name in args.configs}
    for name, scores in final.items():
        sigma = value_of(found[name][-1], 'noise/sigma')
        scores |= {} if sigma is None else {'noise/sigma': sigma}
    text = summary(found, final, plan, args.seed)
    stem = args.work_dir / NAME
    write_json({'snapshots': found, 'final': final}, stem.with_suffix('.json'))
    with atomic_file(stem.with_suffix('.md')) as temporary:
        temporary.write_text(text)
    pictures = [stem.with_suffix('.png'), stem.with_name(f'{NAME}_samples.png')]
    draw(found, next(iter(final.values()))[CLEAN_ESTIMATE], pictures[0])
    sample_sheet(args.configs, args.work_dir, pictures[1])
    with section(NAME, args.save):
        print(versions('torch', 'numpy') + '\n' + text)
    if args.save:
        for picture in pictures:
            shutil.copy(picture, DOCS.parent / 'images' / picture.name)
    print(f'results: {stem}.json, {stem}.md, {", ".join(map(str, pictures))}')


if __name__ == '__main__':
    run_main(main)

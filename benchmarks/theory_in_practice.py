"""Theory meets practice: measured degradation against the divergence that theory predicts.

Trains the quickstart's network on photographs with Gaussian noise of variance 0, 0.02, 0.04, 0.08
and 0.16, sweeps each over white noises, and holds what was lost against the divergence of the
inputs, which is computed from the photographs alone. Steps that are done are skipped.

Writes ``theory_in_practice.json``, ``.md`` and ``.png`` into the work folder.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from harness import DOCS, section, versions
from theory_figure import draw
from theory_readings import (
    READINGS,
    against_best,
    break_evens,
    grid_average,
    optima,
    order_agreement,
    quality_table,
    rank_correlation,
    sigma_distance,
    worst,
)
from theory_text import MAIN_SPECTRUM, ORDER, summary

from noiseedit.chain import Step, run_step, step_text, sweep_step, train_step
from noiseedit.cli import run as run_main
from noiseedit.config import load_config
from noiseedit.datasets.toy import ToyPhotos
from noiseedit.evaluation.results import Result, read_result
from noiseedit.files import atomic_file, write_json
from noiseedit.theory import (
    average_kl,
    average_variance,
    break_even_variance,
    kl_table,
    minimax_variance,
    patch_spectrum,
)

CLEAN = 'pix2pix/pix2pix_resnet_toy-pencil.py'
INJECTED = 'pix2pix/pix2pix_resnet_toy-pencil_gaussian-v0.08.py'
WHITE = ('gni/gaussian', 'gni/uniform', 'gni/laplace')
NAME = 'theory_in_practice'
Split = Literal['train', 'test']
SIZE: dict[Split, int] = {'train': 64, 'test': 96}
"""Edge of the crops, as configs/_base_/datasets/toy_pencil.py has them."""


class Plan(NamedTuple):
    """What is trained and swept: variances, sweep, options of both tools, images of the test."""

    train: tuple[float, ...]
    sweep: str
    options: tuple[str, ...] = ()
    limit: int | None = None


FULL = Plan((0, 0.02, 0.04, 0.08, 0.16), 'theory_grid')
SHORT = Plan((0, 0.16), 'gni_grid', ('train_cfg.max_iters=20', 'model.generator.width=4'), 1)


# Training and sweeping, as a user would.


def commands(plan: Plan, variance: float, folder: Path, seed: int) -> list[Step]:
    """Return the two commands that train a network and sweep it."""
    noise = [f'noise.train.variance={variance:g}'] if variance else []
    options = [*noise, *plan.options]
    config = INJECTED if variance else CLEAN
    return [
        train_step(config, folder, seed=seed, options=options),
        sweep_step(config, folder, plan.sweep, limit=plan.limit, options=options),
    ]


def folder_of(work_dir: Path, variance: float, seed: int) -> Path:
    """Return the work folder of one network."""
    return work_dir / (f'{variance:g}' + (f'_seed{seed}' if seed else ''))


def is_done(folder: Path, iterations: int) -> bool:
    """Tell whether the network is trained, and swept after that."""
    checkpoint, result = folder / f'iter_{iterations}.pth', folder / 'sweep.json'
    if not (checkpoint.exists() and result.exists()):
        return False
    return result.stat().st_mtime >= checkpoint.stat().st_mtime


def make_networks(plan: Plan, work_dir: Path, seeds: int) -> None:
    """Train and sweep what is not there yet; prints every command."""
    iterations = load_config(CLEAN, list(plan.options)).train_cfg.max_iters
    for seed in range(seeds):
        for variance in plan.train:
            folder = folder_of(work_dir, variance, seed)
            done = is_done(folder, iterations)
            for step in commands(plan, variance, folder, seed):
                print(step_text(step) + ('  # done before' if done else ''), flush=True)
                if not done:
                    run_step(step)


# Theory: from the photographs alone.


def photographs(split: Split) -> Iterator[np.ndarray]:
    """Yield the source images as the networks see them, (H, W, 3) uint8."""
    photos = ToyPhotos(split=split, task='pencil', size=SIZE[split])
    return (photos.read(index, 0)['source'] for index in range(len(photos)))


def spectra_of() -> dict[str, np.ndarray]:
    """Return the eigenvalues of 8x8 patches: what theory takes, and what else it might take."""
    return {
        MAIN_SPECTRUM: patch_spectrum(photographs('train'), 8, 'luma'),
        'test photographs, luma': patch_spectrum(photographs('test'), 8, 'luma'),
        'training photographs, RGB': patch_spectrum(photographs('train'), 8, 'rgb'),
    }


def predict(eigenvalues: np.ndarray, train: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """Return what theory says of these training and test variances; divergences per dimension."""
    top, size = float(test[-1]), len(eigenvalues)
    averages = np.array([average_kl(eigenvalues, s, top) / size for s in train])
    table = kl_table(eigenvalues, train, test) / size
    return {
        'eigenvalues': eigenvalues,
        'kl': table,
        'average_kl': averages,
        'worst_kl': worst(table),
        'break_even': [break_even_variance(eigenvalues, s) for s in train[1:]],
        'conservative': [s / 2 for s in train[1:]],
        'optimum': {
            'average': average_variance(top),
            'minimax': minimax_variance(eigenvalues, top),
        },
        'best_trained': {
            'average': float(train[np.argmin(averages)]),
            'minimax': float(train[np.argmin(worst(table))]),
        },
    }


def predict_blindly(train: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """Return what the distance in sigma says, without any photograph: the control of theory.

    ``|sigma_t - sigma_e|`` is least on average at the median variance, in the worst case at a
    quarter of the largest, and equal for clean and noise training at a quarter of the latter.
    """
    top = float(test[-1])
    return {
        'table': sigma_distance(train, test),
        'break_even': [s / 4 for s in train[1:]],
        'optimum': {'average': top / 2, 'minimax': top / 4},
    }


# Both together.


def hold_against(
    predicted: dict[str, Any], train: np.ndarray, test: np.ndarray, quality: np.ndarray
) -> dict[str, Any]:
    """Return every reading of one table of quality, with its rank correlation."""
    losses = against_best(train, test, quality)
    readings = {name: read(train, test, quality) for name, read in READINGS.items()}

    def agreement(table: np.ndarray) -> dict[str, Any]:
        ranks = {name: rank_correlation(table, found) for name, found in readings.items()}
        ranks[ORDER] = order_agreement(table, losses)
        return {name: rank._asdict() for name, rank in ranks.items()}

    return {
        'quality': quality,
        'readings': readings,
        'rank': agreement(predicted['kl']),
        'rank_control': agreement(sigma_distance(train, test)),
        'break_even': break_evens(test, quality),
        'average_loss': grid_average(test, losses),
        'worst_loss': worst(losses),
        'optimum': optima(train, test, quality),
    }


def analyse(results: Sequence[Sequence[Result]], train: Sequence[float]) -> dict[str, Any]:
    """Return theory and practice of networks (seed, training variance), for strict JSON."""
    first = results[0][0]
    trained = np.array(train, float)
    test = np.array(sorted(next(n['levels'] for n in first['noises'] if n['label'] in WHITE)))
    spectra = {name: predict(values, trained, test) for name, values in spectra_of().items()}
    predicted, entries = spectra[MAIN_SPECTRUM], []
    for metric in (entry['name'] for entry in first['metrics']):
        for noise in WHITE:
            tables = [quality_table(networks, noise, metric) for networks in results]
            seeds = [hold_against(predicted, trained, test, table) for table in tables]
            mean = hold_against(predicted, trained, test, np.mean(tables, axis=0))
            entries.append({'metric': metric, 'noise': noise, 'mean': mean, 'seeds': seeds})
    return jsonable({
        'format': 1, 'train_variances': trained, 'test_variances': test, 'seeds': len(results),
        'test_images': len(first['images']),
        'metrics': [entry['name'] for entry in first['metrics']], 'noises': list(WHITE),
        'predicted': predicted, 'control': predict_blindly(trained, test), 'measured': entries,
        'other_spectra': {name: s for name, s in spectra.items() if s is not predicted},
        'versions': first['versions'],
    })  # fmt: skip


def jsonable(value: Any) -> Any:
    """Return ``value`` with arrays as lists."""
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return jsonable(value.tolist()) if isinstance(value, np.ndarray) else value


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/theory'))
    parser.add_argument('--seeds', type=int, default=1, help='trainings per variance (1)')
    parser.add_argument('--short', action='store_true', help='hardly any training; for checks')
    parser.add_argument('--save', action='store_true', help='write into docs/')
    args = parser.parse_args()
    if args.seeds < 1:
        parser.error(f'--seeds: expected a number >= 1, got {args.seeds}')
    return args


def main() -> None:
    args, start = parse_args(), time.monotonic()
    plan = SHORT if args.short else FULL
    make_networks(plan, args.work_dir, args.seeds)
    folders = [[folder_of(args.work_dir, s, k) for s in plan.train] for k in range(args.seeds)]
    found = analyse([[read_result(f) for f in row] for row in folders], plan.train)
    files = [args.work_dir / f'{NAME}.{suffix}' for suffix in ('json', 'md', 'png')]
    text = summary(found)
    write_json(found, files[0])
    with atomic_file(files[1]) as temporary:
        temporary.write_text(text)
    draw(found, files[2])
    with section(NAME, args.save):
        print(versions('torch', 'numpy', 'scipy') + '\n' + text)
    if args.save:
        shutil.copy(files[2], DOCS.parent / 'images' / files[2].name)
    print(f'results: {", ".join(map(str, files))} ({(time.monotonic() - start) / 60:.1f} minutes)')


if __name__ == '__main__':
    run_main(main)

"""The Frechet distance of 2048 features against other ways to compute it: value and time.

Features are random but laid out as those of Inception: rectified, strongly correlated, of falling
strength. Three things are timed: mean and covariance of 5000 vectors, as they stream past; the
distance of two such sets from their moments; the distance of two sets of 1000, whose covariances
are singular, from the vectors. The reference is the matrix square root of SciPy; where covariances
are singular, the definition within the span of the vectors. One call of the reference takes some
ten seconds: rounds are few. pytorch-fid and clean-fid take the square root, torch-fidelity and
torchmetrics the eigenvalues of the product (NumPy, torch). Run it with OMP_NUM_THREADS=1: one core.
"""

from __future__ import annotations

import argparse

import numpy as np
import scipy.linalg
import torch
from harness import Target, measure, one_thread, parse_args, ratio, report, section, table, versions

from noiseedit.evaluation.metrics.frechet import (
    Moments,
    frechet_of_moments,
    frechet_of_vectors,
    moments,
)
from noiseedit.evaluation.metrics.set_metric import BLOCK_ROWS

FEATURES, MANY, FEW = 2048, 5000, 1000
OURS, SQRTM, EIGVALS, EIGH = 'noiseedit', 'scipy sqrtm', 'numpy eigenvalues', 'numpy symmetric'
TORCH = 'torch eigenvalues'


def feature_sets(count: int) -> list[np.ndarray]:
    """Return two sets of rectified features, (count, 2048) float32."""
    rng = np.random.Generator(np.random.SFC64(1))
    strength = np.arange(1, FEATURES + 1, dtype=np.float32) ** -0.6
    mixing, other = (
        rng.standard_normal((FEATURES, FEATURES), dtype=np.float32) * strength for _ in range(2)
    )
    laws = ((mixing, 0.4), (mixing + 0.15 * other, 0.42))
    draws = [rng.standard_normal((count, FEATURES), dtype=np.float32) for _ in laws]
    return [
        np.maximum(0.3 * draw @ mix.T + mean, 0)
        for draw, (mix, mean) in zip(draws, laws, strict=True)
    ]


def blocks(features: np.ndarray) -> list[np.ndarray]:
    return [features[i : i + BLOCK_ROWS] for i in range(0, len(features), BLOCK_ROWS)]


def outer_sums(features: np.ndarray) -> np.ndarray:
    """Return the covariance as torchmetrics and StyleGAN sum it: 64 rows, no shift, float64."""
    total = torch.zeros(FEATURES, dtype=torch.float64)
    products = torch.zeros(FEATURES, FEATURES, dtype=torch.float64)
    for rows in torch.from_numpy(features).split(64):
        total += rows.double().sum(0)
        products.addmm_(rows.double().T, rows.double())
    mean = total / len(features)
    return ((products - len(features) * torch.outer(mean, mean)) / (len(features) - 1)).numpy()


def distances(a: Moments, b: Moments) -> dict:
    """Return every way from two sets of moments to the distance."""
    first, second = a.covariance, b.covariance
    rest = np.square(a.mean - b.mean).sum() + np.trace(first) + np.trace(second)

    def sqrtm() -> float:
        return float(rest - 2 * np.trace(scipy.linalg.sqrtm(first @ second)).real)

    def eigenvalues() -> float:
        values = np.linalg.eigvals(first @ second)
        return float(rest - 2 * np.sqrt(values.astype(complex)).real.sum())

    def torch_eigenvalues() -> float:
        values = torch.linalg.eigvals(torch.from_numpy(first) @ torch.from_numpy(second))
        return float(rest - 2 * values.sqrt().real.sum())

    def symmetric() -> float:
        values, vectors = np.linalg.eigh(first)
        root = vectors * np.sqrt(values.clip(min=0))
        return float(rest - 2 * np.sqrt(np.linalg.eigvalsh(root.T @ second @ root).clip(0)).sum())

    return {
        OURS: lambda: frechet_of_moments(a, b),
        EIGH: symmetric,
        EIGVALS: eigenvalues,
        TORCH: torch_eigenvalues,
        SQRTM: sqrtm,
    }


def of_few(a: np.ndarray, b: np.ndarray) -> dict:
    """Return the ways to the distance of sets that are smaller than their features are many."""
    sums = [moments([x]) for x in (a, b)]
    ways = distances(*sums)
    return {
        f'{OURS}, vectors': lambda: frechet_of_vectors(a, b),
        f'{OURS}, moments': ways[OURS],
        EIGVALS: ways[EIGVALS],
    }


def exact_of_few(a: np.ndarray, b: np.ndarray) -> float:
    """Return the distance in the span of all vectors, by principal roots of both covariances."""
    first, second = (x - x.mean(0, dtype=np.float64) for x in (a, b))
    basis = np.linalg.qr(np.concatenate([first, second]).T)[0]
    small = [np.cov((x @ basis), rowvar=False) for x in (first, second)]
    values, vectors = np.linalg.eigh(small[0])
    root = vectors * np.sqrt(values.clip(min=0)) @ vectors.T
    nuclear = np.sqrt(np.linalg.eigvalsh(root @ small[1] @ root).clip(min=0)).sum()
    shift = a.mean(0, dtype=np.float64) - b.mean(0, dtype=np.float64)
    return float((shift**2).sum() + np.trace(small[0]) + np.trace(small[1]) - 2 * nuclear)


def values_of(title: str, ways: dict, name: str, expected: float | None = None) -> dict:
    """Print the values; return value minus that expected (``None``: that of the way ``name``)."""
    values = {way: call() for way, call in ways.items()}
    expected = values[name] if expected is None else expected
    print(f'### {title}: values\n\n| candidate | value | minus {name} |\n|---|---:|---:|')
    for way, value in values.items():
        print(f'| {way} | {value:.10f} | {value - expected:+.1e} |')
    print()
    return {way: value - expected for way, value in values.items()}


def sums_part(features: np.ndarray, rounds: int) -> list[Target]:
    calls = {
        OURS: lambda: moments(blocks(features)),
        'np.cov, all at once': lambda: np.cov(features, rowvar=False),
        'f64 sums of 64 rows': lambda: outer_sums(features),
    }
    times = measure(calls, rounds=rounds, budget=0)
    print(table(f'Mean and covariance of {MANY} x {FEATURES}', times, items=MANY, unit='vector'))
    found = moments(blocks(features))
    gap = np.abs(found.covariance - np.cov(features, rowvar=False)).max()
    return [
        Target('covariance: largest difference from np.cov', float(gap), '<=', 1e-12),
        Target('64 rows / noiseedit', ratio(times, 'f64 sums of 64 rows', OURS), '>=', 1),
    ]


def distance_part(sets: list[np.ndarray], rounds: int) -> list[Target]:
    ways = distances(*(moments(blocks(x)) for x in sets))
    title = f'Distance of {MANY} + {MANY} vectors'
    gaps = values_of(title, ways, SQRTM)
    times = measure(ways, rounds=rounds, budget=0)
    print(table(f'{title}, from moments', times))
    return [
        Target('distance [s]', times[OURS].seconds, '<=', 1.2),
        Target('scipy sqrtm / noiseedit', ratio(times, SQRTM, OURS), '>=', 8),
        Target('numpy eigenvalues / noiseedit', ratio(times, EIGVALS, OURS), '>=', 2),
        Target('torch eigenvalues / noiseedit', ratio(times, TORCH, OURS), '>=', 2.5),
        Target('difference from sqrtm', abs(gaps[OURS]), '<=', 1e-6),
    ]


def few_part(sets: list[np.ndarray], rounds: int) -> list[Target]:
    a, b = (x[:FEW] for x in sets)
    ways, ours = of_few(a, b), f'{OURS}, vectors'
    title = f'Distance of {FEW} + {FEW} vectors'
    gaps = values_of(title, ways, 'definition in the span', exact_of_few(a, b))
    times = measure(ways, rounds=rounds, budget=0)
    print(table(title, times))
    return [
        Target('few: numpy eigenvalues / noiseedit', ratio(times, EIGVALS, ours), '>=', 5),
        Target('few: difference from the definition', abs(gaps[ours]), '<=', 1e-6),
    ]


def compare_all(args: argparse.Namespace) -> None:
    print(versions('numpy', 'scipy', 'torch'))
    sets = feature_sets(MANY)
    rounds = 1 if args.quick else max(3, args.rounds // 5)  # of some 20 seconds each
    targets = sums_part(sets[0], 3 * rounds)
    targets += distance_part(sets, rounds)
    targets += few_part(sets, rounds)
    report(targets)


def main() -> None:
    args = parse_args(__doc__)
    one_thread()
    torch.set_grad_enabled(False)
    with section('fid', args.save):
        compare_all(args)


if __name__ == '__main__':
    main()

"""Noise on 8-bit images and float32 batches against other packages: speed and exactness.

Ours goes through the public API (``noise.apply_uint8``, ``noise(x, generator=g)``). Peers, where
installed: torchvision v2, kornia, albumentations, scikit-image, and the legacy NumPy forms that the
code of papers uses. One thread, CPU time, medians of interleaved rounds; see harness.py.

    python benchmarks/bench_noise.py [--quick] [--save]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
from harness import (
    Target,
    Timing,
    measure,
    one_thread,
    parse_args,
    ratio,
    report,
    section,
    table,
    versions,
)
from noise_candidates import GROUPS, IMAGE, SIDE, Calls, batch, grey_noises, jpeg_batch

Times = dict[str, Timing]
PACKAGES = ('numpy', 'torch', 'opencv-python', 'torchvision', 'kornia', 'albumentations',
            'scikit-image', 'simplejpeg', 'imgaug')  # fmt: skip


def exactness(images: int) -> float:
    """Print mean error and standard deviation on grey 128; return our largest relative error."""
    grey, worst = np.full((SIDE, SIDE, 3), 128, np.uint8), 0.0
    print('### Exactness on grey 128: mean error, standard deviation\n')
    print('| sigma | exact rounding | ' + ' | '.join(grey_noises(1)) + ' |')
    print('|---:|---:|' + '---:|' * len(grey_noises(1)))
    for sigma in (1, 2, 5, 10, 25):
        exact, cells = math.sqrt(sigma**2 + 1 / 12), []
        for name, call in grey_noises(sigma).items():
            mean, std = moments(call, grey, 8 * images if name == 'ours' else images)
            cells.append(f'{mean:+.3f}, {std:.3f}')
            if name == 'ours' and sigma >= 5:
                worst = max(worst, abs(std / exact - 1))
        print(f'| {sigma} | 0, {exact:.3f} | ' + ' | '.join(cells) + ' |')
    print()
    return worst


def moments(
    call: Callable[[np.ndarray], np.ndarray], grey: np.ndarray, images: int
) -> tuple[float, float]:
    """Return mean and standard deviation of the error over all values of ``images`` images."""
    counts = sum(np.bincount(call(grey).ravel(), minlength=256) for _ in range(images))
    error = np.arange(256.0) - grey.flat[0]
    mean = float(counts @ error / counts.sum())
    return mean, math.sqrt(counts @ (error - mean) ** 2 / counts.sum())


# Targets.


def slower(times: Times, bound: float, ours: str, *peers: str) -> list[Target]:
    """Return one target per peer that is there: how many times slower it is than ours."""
    first = next(iter(times))
    return [
        Target(f'{ours}: {name} / {first}', ratio(times, name, first), '>=', bound)
        for name in times
        if any(name.startswith(peer) for peer in peers)
    ]


def growth(t: Times) -> float:
    """Return what a patch of 256 pixels costs over one of 64, relative to one of 512."""
    small, middle, whole = (
        t[f'ours, {size}'].seconds for size in ('64x64', '256x256', 'whole image')
    )
    return (middle - small) / (whole - small)


def image_targets(t: dict[str, Times], worst: float) -> list[Target]:
    values = IMAGE.size
    best = min(
        (name for name in t['salt and pepper'] if name.split()[0] not in ('ours', 'legacy')),
        key=lambda name: t['salt and pepper'][name].seconds,
        default='legacy NumPy',
    )
    return [
        *slower(t['Gaussian'], 1.7, 'Gaussian', 'albumentations'),
        *slower(t['Gaussian'], 7, 'Gaussian', 'legacy'),
        *slower(t['Gaussian'], 8, 'Gaussian', 'scikit-image'),
        Target('Gaussian: ns/value', t['Gaussian']['ours'].seconds / values * 1e9, '<=', 1.45),
        Target('Gaussian: ours / cv2.randn alone',
               ratio(t['Gaussian'], 'ours', 'cv2.randn float32, draws alone'), '<=', 0.92),
        Target('Gaussian: relative error of std, sigma >= 5', worst, '<=', 1e-3),
        *slower(t['Poisson'], 20, 'Poisson', 'NumPy', 'torch', 'albumentations'),
        Target('Poisson: ms', t['Poisson']['ours'].seconds * 1e3, '<=', 1.6),
        *slower(t['salt and pepper'], 2, 'salt and pepper, best package', best),
        *slower(t['salt and pepper'], 6, 'salt and pepper', 'legacy'),
        *slower(t['speckle'], 1.4, 'speckle', 'albumentations'),
        *slower(t['speckle'], 6, 'speckle', 'scikit-image', 'legacy'),
        *slower(t['local Gaussian'], 6, 'local', 'legacy'),
        Target('local: growth of time 64 -> 256 / 64 -> 512 pixels (area: 0.24)',
               growth(t['local Gaussian']), '<=', 0.35),
        *slower(t['brown'], 3, 'brown', 'NumPy'),
        *slower(t['brown'], 6, 'brown', 'legacy'),
        Target('JPEG: ours / OpenCV', ratio(t['JPEG'], 'ours', 'OpenCV alone'), '<=', 1.1),
    ]  # fmt: skip


def batch_targets(t: dict[str, Times], shapes: dict[str, tuple[int, ...]]) -> list[Target]:
    one, own = 'ours, one stream', 'ours, one stream per sample'
    small, large = (t[name] for name in shapes)
    targets = [
        Target(f'{name}: ns/value', t[name][one].seconds / math.prod(shape) * 1e9, '<=', 2.6)
        for name, shape in shapes.items()
    ]
    targets += [
        Target(f'{name}: ours / torch normal_ alone', ratio(t[name], one, 'torch normal_ alone'),
               '<=', 1.2) for name in shapes
    ]  # fmt: skip
    return [
        *targets,
        Target('32x32: per sample / one stream', ratio(small, own, one), '<=', 1.4),
        Target('256x256: per sample / one stream', ratio(large, own, one), '<=', 1.15),
        Target('32x32: RandomState(i) / ours per sample',
               ratio(small, 'legacy NumPy, RandomState(i)', own), '>=', 10),
        Target('JPEG batch: ours / OpenCV',
               ratio(t['JPEG batch'], 'ours', 'OpenCV loop'),
               '<=', 1.1),
        *slower(t['differentiable JPEG'], 2, 'differentiable JPEG', 'kornia'),
    ]  # fmt: skip


def compare_all(args: argparse.Namespace) -> None:
    """Measure every group and print tables, exactness and targets."""
    print(versions(*PACKAGES))
    times: dict[str, Times] = {}

    def compare(name: str, calls: Calls, values: int = IMAGE.size) -> None:
        times[name] = measure(calls, rounds=args.rounds, budget=args.budget)
        print(table(name, times[name], items=values), flush=True)

    for name, calls in GROUPS.items():
        compare(name, calls())
    compare('JPEG batch', jpeg_batch(), 16 * 3 * 256 * 256)
    shapes = {'batch 64x3x32x32': (64, 3, 32, 32), 'batch 16x3x256x256': (16, 3, 256, 256)}
    for name, shape in shapes.items():
        compare(name, batch(*shape), math.prod(shape))
    worst = exactness(2 if args.quick else 8)
    report([*image_targets(times, worst), *batch_targets(times, shapes)])


def main() -> None:
    args = parse_args(__doc__)
    one_thread()
    with section('noise', args.save):
        compare_all(args)


if __name__ == '__main__':
    main()

"""Spectra of images against stacking all patches, their memory, processes; noise estimates.

Drawn natural-like pictures of 481 x 321, 8 x 8 luma patches. The yardsticks hold all patches at
once: ``numpy.cov`` on a stack cut with NumPy, and on blocks cut by scikit-image. Folders are read
from PNG files, wall time, where starting the workers counts; peak memory and the time of a whole
run, imports included, are those of fresh processes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from harness import Target, measure, one_thread, parse_args, ratio, report, section, table, versions

from noiseedit.imaging import write_image
from noiseedit.theory import dft_spectrum, estimate_noise_variance, patch_statistics

HEIGHT, WIDTH, PATCH = 321, 481, 8
WEIGHTS = np.array([0.299, 0.587, 0.114])
SET, MANY = 68, 8  # pictures of the test set; how many times as many for memory
SIGMA = 25
PEER = 'scikit-image estimate_sigma'
OURS, NUMPY, SKIMAGE = 'patch_statistics', 'numpy.cov on a stack', 'scikit-image blocks, numpy.cov'


def pictures(number: int) -> list[np.ndarray]:
    from bench_data import natural  # worker processes import this file, but need no torch

    return [np.ascontiguousarray(natural(seed)[:HEIGHT, :WIDTH]) for seed in range(number)]


def stacked_covariance(images: list[np.ndarray]) -> np.ndarray:
    """Return the covariance of all patches, cut with NumPy and held at once."""
    rows, columns = HEIGHT // PATCH, WIDTH // PATCH
    parts = []
    for image in images:
        luma = (image @ WEIGHTS)[: rows * PATCH, : columns * PATCH] / 127.5 - 1
        cells = luma.reshape(rows, PATCH, columns, PATCH).swapaxes(1, 2)
        parts.append(cells.reshape(-1, PATCH**2))
    return np.cov(np.concatenate(parts), rowvar=False, bias=True)


def block_covariance(images: list[np.ndarray]) -> np.ndarray:
    """Return the same with scikit-image's luma (other weights) and blocks."""
    from skimage.color import rgb2gray
    from skimage.util import view_as_blocks

    height, width = HEIGHT // PATCH * PATCH, WIDTH // PATCH * PATCH
    parts = []
    for image in images:
        luma = rgb2gray(image)[:height, :width] * 2 - 1
        parts.append(view_as_blocks(luma, (PATCH, PATCH)).reshape(-1, PATCH**2))
    return np.cov(np.concatenate(parts), rowvar=False, bias=True)


def bench_covariance(images: list[np.ndarray], args: object) -> list[Target]:
    ours = patch_statistics(images)
    error = np.abs(ours.covariance - stacked_covariance(images)).max()
    times = measure(
        {
            OURS: lambda: patch_statistics(images),
            NUMPY: lambda: stacked_covariance(images),
            SKIMAGE: lambda: block_covariance(images),
        },
        rounds=args.rounds,
        budget=args.budget,
    )
    title = f'covariance of {ours.count:,} patches of {len(images)} pictures in memory'
    print(table(title, times, items=ours.count, unit='patch'))
    return [
        Target('largest difference to numpy.cov', error, '<=', 1e-12),
        Target(f'{NUMPY} / {OURS}', ratio(times, NUMPY, OURS), '>=', 1),
        Target(f'{SKIMAGE} / {OURS}', ratio(times, SKIMAGE, OURS), '>=', 1),
    ]


def bench_folder(folder: Path, rounds: int) -> list[Target]:
    """Time the folder as it is, in one process, and many times over, in one and in two."""
    files = sorted(folder.glob('*.png'))
    times = measure(
        {
            'patches': lambda: patch_statistics(folder),
            'Fourier': lambda: dft_spectrum(folder),
            f'patches, {MANY} x': lambda: patch_statistics(files * MANY),
            f'patches, {MANY} x, 2 workers': lambda: patch_statistics(files * MANY, workers=2),
        },
        rounds=rounds,
        budget=0,
        clock='wall',
    )
    print(table(f'{len(files)} PNG files, or {MANY} times as many, wall', times))
    found = fresh(f'patch_spectrum({str(folder)!r})')
    print(f'whole run over {len(files)} files, imports included: {found["seconds"]:.2f} s\n')
    one, two = (times[name].seconds for name in list(times)[2:])
    print(f'1 worker / 2 workers, over {len(files) * MANY} files: {one / two:.2f}\n')
    return [Target(f'seconds for {SET} files', times['patches'].seconds, '<=', 3)]


def bench_memory(number: int) -> list[Target]:
    """Compare the peaks of ever more pictures that are made one by one."""
    drawn = (
        'rng.integers(0, 256, ({}, {}, 3), np.uint8) '
        'for rng in [np.random.default_rng(0)] for _ in range({})'
    )
    calls = [f'patch_spectrum({drawn.format(HEIGHT, WIDTH, n)})' for n in (number, MANY * number)]
    few, many = (fresh(call)['peak'] for call in calls)
    stack = MANY * number * (HEIGHT // PATCH) * (WIDTH // PATCH) * PATCH**2 * 8 / 2**20
    print(f'peak memory: {few:.0f} MiB with {number} pictures, {many:.0f} with {MANY} times as')
    print(f'many, whose stacked patches alone would take {stack:.0f} MiB\n')
    return [Target(f'memory of {MANY} N pictures / N pictures', many / few, '<=', 1.02)]


def fresh(call: str) -> dict[str, float]:
    """Return peak MiB and seconds of an expression on its own, imports included.

    The peak is that of /proc: ``ru_maxrss`` begins with what the parent held when it forked.
    """
    script = (
        'import numpy as np; from noiseedit.theory import patch_spectrum; '
        f'{call}; '
        'print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])'
    )
    start = time.perf_counter()
    found = subprocess.run(
        [sys.executable, '-c', script],
        cwd=Path(__file__).parent,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {'peak': int(found.stdout) / 1024, 'seconds': time.perf_counter() - start}


def bench_estimates(image: np.ndarray, args: object) -> list[Target]:
    noisy = image / 255 + np.random.default_rng(0).normal(0, SIGMA / 255, image.shape)
    calls = {
        method: lambda method=method: estimate_noise_variance(noisy, method)
        for method in ('eigenvalue', 'wavelet')
    }
    if (peer := _peer()) is not None:
        calls[PEER] = lambda: peer(noisy, channel_axis=-1)
    times = measure(calls, rounds=args.rounds, budget=args.budget)
    print(table(f'noise of one picture of {WIDTH} x {HEIGHT}, three channels', times))
    if PEER not in times:
        return []
    return [Target(f'wavelet / {PEER}', ratio(times, 'wavelet', PEER), '<=', 1.5)]


def _peer() -> object | None:
    """Return scikit-image's estimator where the package that it needs is installed."""
    try:
        import pywt  # noqa: F401
        from skimage.restoration import estimate_sigma
    except ImportError:
        return None
    return estimate_sigma


def compare_all(args: argparse.Namespace) -> None:
    print(versions('numpy', 'scipy', 'scikit-image', 'opencv-python', 'kornia_rs', 'PyWavelets'))
    images = pictures(SET)
    some = images[:8] if args.quick else images
    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(images):
            write_image(Path(folder) / f'{number:03d}.png', image)
        targets = bench_covariance(some, args)
        targets += bench_folder(Path(folder), 2 if args.quick else 5)
    targets += bench_memory(8 if args.quick else 64)
    targets += bench_estimates(images[0], args)
    report(targets)


def main() -> None:
    args = parse_args(__doc__)
    one_thread()
    with section('spectra', args.save):
        compare_all(args)


if __name__ == '__main__':
    main()

"""AKLD and KS of generated noise against their released forms in torch: value and time.

The released AKLD is a dense depthwise 7x7 convolution of the squared noise and logarithms of all
pixels; the released KS is ``torch.histc`` with 256 bins on [-1, 1]. Both sides begin with three
images: the generated noisy one, the real noisy one, the clean one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import cv2
import numpy as np
import torch
from harness import Target, measure, one_thread, parse_args, ratio, report, section, table, versions
from torch import Tensor
from torch.nn import functional

from noiseedit.evaluation.metrics.akld import KERNEL, akld
from noiseedit.evaluation.metrics.ks import ks

SIZES = (256, 512)
OURS, RELEASED, FLOATS = 'noiseedit', 'released form, torch', 'noiseedit, float images'
Calls = dict[str, Callable[[], float]]


def images(side: int) -> list[np.ndarray]:
    """Return fake, real and clean, (3, H, W) uint8: Gaussian noise of sigma 22 and 20."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
    clean = cv2.GaussianBlur(draws, (0, 0), 3).transpose(2, 0, 1)
    noisy = [np.clip(np.rint(clean + rng.normal(0, s, clean.shape)), 0, 255) for s in (22, 20)]
    return [np.ascontiguousarray(image, np.uint8) for image in (*noisy, clean)]


def released_akld(fake: Tensor, real: Tensor, clean: Tensor) -> float:
    """Return AKLD as published: (1, 3, H, W) each."""
    kernel = clean.new_tensor(np.outer(KERNEL, KERNEL)).repeat(3, 1, 1, 1)

    def variance(noisy: Tensor) -> Tensor:
        padded = functional.pad((noisy - clean) ** 2, [3] * 4, mode='reflect')
        return functional.conv2d(padded, kernel, groups=3).clamp(min=1e-10)

    r = (variance(fake) / variance(real)).clamp(0.1, 10)
    return float(0.5 * torch.mean(torch.log(1 / r) + r - 1))


def released_ks(fake: Tensor, real: Tensor, clean: Tensor) -> float:
    """Return KS as published."""
    shares = [torch.histc(noisy - clean, 256, -1, 1) / clean.numel() for noisy in (fake, real)]
    return float((shares[0].cumsum(0) - shares[1].cumsum(0)).abs().max())


def compare(title: str, calls: Calls, exact: float, gain: float, args: argparse.Namespace) -> list:
    """Print values and times; return what ours is held against."""
    print(f'### {title}: values\n\n| candidate | value | minus float64 |\n|---|---:|---:|')
    gaps = {name: call() - exact for name, call in calls.items()}
    for name, gap in gaps.items():
        print(f'| {name} | {gap + exact:.10f} | {gap:+.1e} |')
    print()
    times = measure(calls, rounds=args.rounds, budget=args.budget)
    print(table(f'{title}, one thread', times, baseline=RELEASED))
    return [
        Target(f'{title}: difference', abs(gaps[OURS]), '<=', 1e-7),
        Target(f'{title}: {RELEASED} / {OURS}', ratio(times, RELEASED, OURS), '>=', gain),
    ]


def compare_all(args: argparse.Namespace) -> None:
    print(versions('torch', 'numpy', 'opencv-python'))
    targets = []
    for side in SIZES:
        steps = images(side)
        batches = [torch.from_numpy(image)[None].float() / 255 for image in steps]
        singles = [batch[0] for batch in batches]
        floats = [single.numpy() for single in singles]
        wide = [batch.double() for batch in batches]
        name = f'{side}x{side} RGB'
        calls: Calls = {
            OURS: lambda images=singles: akld(*images),
            RELEASED: lambda images=batches: released_akld(*images),
        }
        targets += compare(f'AKLD, {name}', calls, released_akld(*wide), 4, args)
        calls = {
            OURS: lambda images=steps: ks(*images),
            FLOATS: lambda images=floats: ks(*images),
            RELEASED: lambda images=batches: released_ks(*images),
        }
        targets += compare(f'KS, {name}', calls, released_ks(*wide), 10, args)
    report(targets)


def main() -> None:
    args = parse_args(__doc__)
    one_thread()
    torch.set_grad_enabled(False)
    with section('akld', args.save):
        compare_all(args)


if __name__ == '__main__':
    main()

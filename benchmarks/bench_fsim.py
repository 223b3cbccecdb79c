"""FSIM of sketch-sized images against its definition in NumPy and against piq: value and time.

The reference is the transcription of the definition that the tests use: float64, one filter at a
time, filters computed anew for every image. piq is timed as it comes, in float32 and float64; why
its values differ stands in docs/evaluation.md. "Target kept" is what a sweep pays per prediction:
the target is described once.
"""

from __future__ import annotations

import argparse
import runpy
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import torch
from harness import Target, measure, one_thread, parse_args, ratio, report, section, table, versions

from noiseedit.evaluation.metrics import fsim
from noiseedit.evaluation.metrics.fsim import compare_features, features

REFERENCE = Path(__file__).parents[1] / 'tests' / 'evaluation' / 'fsim_reference.py'
SHAPES = {'FSIM, 250x200 grey': (250, 200, 1), 'FSIMc, 256x256 RGB': (256, 256, 3)}
OURS, KEPT = 'noiseedit f32', 'noiseedit f32, target kept'
DEFINITION, PIQ = 'definition f64', 'piq f32'


def images(height: int, width: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a smooth 8-bit image (H, W, C) and a copy with Gaussian noise of sigma 25."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(draws, (0, 0), 2)[..., :channels].astype(np.float32)
    clean = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).reshape(smooth.shape)
    noisy = np.clip(np.rint(clean + rng.normal(0, 25, clean.shape)), 0, 255)
    return clean.astype(np.uint8), noisy.astype(np.uint8)


def calls(clean: np.ndarray, noisy: np.ndarray) -> dict[str, Callable[[], float]]:
    """Return every candidate; colours count if there are any."""
    chromatic = clean.shape[2] == 3
    x, y = (torch.from_numpy(i).permute(2, 0, 1)[None].contiguous() for i in (noisy, clean))
    kept = features(y, chromatic=chromatic)
    definition = runpy.run_path(str(REFERENCE))['fsim']
    found: dict[str, Callable[[], float]] = {
        OURS: lambda: float(fsim(x, y, chromatic=chromatic)),
        'noiseedit f64': lambda: float(fsim(x, y, chromatic=chromatic, precision='float64')),
        KEPT: lambda: float(compare_features(features(x, chromatic=chromatic), kept)),
        DEFINITION: lambda: definition(clean.squeeze(), noisy.squeeze())[chromatic],
    }
    if find_spec('piq') is not None:
        import piq

        options = {'data_range': 255, 'chromatic': chromatic}
        f, g, d, e = x.float(), y.float(), x.double(), y.double()
        found[PIQ] = lambda: float(piq.fsim(f, g, **options))
        found['piq f64'] = lambda: float(piq.fsim(d, e, **options))
    return found


def differences(title: str, candidates: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Print the values; return value minus definition."""
    values = {name: float(call()) for name, call in candidates.items()}
    gaps = {name: value - values[DEFINITION] for name, value in values.items()}
    print(f'### {title}: values\n\n| candidate | value | minus {DEFINITION} |\n|---|---:|---:|')
    for name, value in values.items():
        print(f'| {name} | {value:.10f} | {gaps[name]:+.1e} |')
    print()
    return gaps


def compare_all(args: argparse.Namespace) -> None:
    print(versions('torch', 'numpy', 'piq'))
    targets = []
    for title, shape in SHAPES.items():
        candidates = calls(*images(*shape))
        gaps = differences(title, candidates)
        times = measure(candidates, rounds=args.rounds, budget=args.budget)
        print(table(f'{title}, one thread', times))
        targets += bounds(title, times, gaps)
    report(targets)


def bounds(title: str, times: dict, gaps: dict) -> list[Target]:
    """Return what FSIM is held against."""
    found = [
        Target(f'{title}, f64: difference', abs(gaps['noiseedit f64']), '<=', 1e-12),
        Target(f'{title}, f32: difference', abs(gaps[OURS]), '<=', 1e-6),
    ]
    for peer in (DEFINITION, PIQ):
        for ours in (OURS, KEPT) if peer in times else ():
            gain = ratio(times, peer, ours)
            found.append(Target(f'{title}: {peer} / {ours}', gain, '>=', 10))
    return found


def main() -> None:
    args = parse_args(__doc__)
    one_thread()
    torch.set_grad_enabled(False)
    with section('fsim', args.save):
        compare_all(args)


if __name__ == '__main__':
    main()

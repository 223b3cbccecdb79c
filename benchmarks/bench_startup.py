"""Start-up and loop: imports, command-line help, runner ready, overhead per iteration.

Imports and command lines run in fresh processes, alternating, by wall time with a warm file cache.
The overhead per iteration is what the runner adds to a bare loop over the same loader and model
step, by process CPU time, interleaved; MMEngine's own runner and loop stand beside it.

    python benchmarks/bench_startup.py [--quick]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from harness import Target, measure, one_thread, parse_args, report, table, versions

ROOT = Path(__file__).resolve().parents[1]
ITERATIONS = 100

TIMED = """
import time
{before}
start = time.perf_counter()
{code}
print(time.perf_counter() - start)
"""
TINY_CONFIG = """
_base_ = ['{runtime}']
model = dict(type='RestorationModel', generator=dict(type='DnCNN'))
train_dataloader = dict(dataset=dict(type='FolderSet'), batch_size=1)
train_cfg = dict(type='IterTrainLoop', max_iters=1)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
work_dir = '{folder}'
"""


def child(arguments: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def timed(code: str, before: str = '') -> Callable[[], float]:
    """Return a function that runs ``code`` after ``before`` in a fresh process; wall seconds."""
    script = TIMED.format(code=code, before=before)
    return lambda: float(child(['-c', script]).split()[-1])


def command(*arguments: str) -> Callable[[], float]:
    """Return a function that runs a Python command line; wall seconds, interpreter included."""

    def run() -> float:
        start = time.perf_counter()
        child(list(arguments))
        return time.perf_counter() - start

    return run


def medians(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run all candidates once per round (and once before, to warm the file cache)."""
    for run in candidates.values():
        run()
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            samples[name].append(run())
    return {name: statistics.median(seconds) for name, seconds in samples.items()}


def startup(rounds: int, folder: Path) -> list[Target]:
    """Time imports, command lines and the way to a built runner."""
    config = folder / 'tiny.py'
    runtime = ROOT / 'configs' / '_base_' / 'default_runtime.py'
    config.write_text(TINY_CONFIG.format(runtime=runtime, folder=folder / 'run'))
    ready = (
        'from noiseedit.config import load_config\n'
        'from noiseedit.engine import build_runner\n'
        f'build_runner(load_config({str(config)!r}))'
    )
    seconds = medians(
        {
            'import torch': timed('import torch'),
            'import noiseedit': timed('import noiseedit'),
            'import noiseedit after torch': timed('import noiseedit', 'import torch'),
            'import mmengine.runner after torch': timed('import mmengine.runner', 'import torch'),
            'train.py --help': command('tools/train.py', '--help'),
            'train.py --print-config': command(
                'tools/train.py', str(config), '--print-config', '--no-plugins'
            ),
            'runner ready after torch': timed(ready, 'import torch'),
        },
        rounds,
    )
    print('### Start-up\n\n| what | s |\n|---|---:|')
    print(''.join(f'| {name} | {value:.3f} |\n' for name, value in seconds.items()))
    return [
        Target('import noiseedit, s', seconds['import noiseedit'], '<=', 0.3),
        Target(
            'import noiseedit after torch, s', seconds['import noiseedit after torch'], '<=', 0.3
        ),
        Target('train.py --help, s', seconds['train.py --help'], '<=', 0.5),
        Target('runner ready after torch, s', seconds['runner ready after torch'], '<=', 1.0),
    ]


def loop_overhead(rounds: int, budget: float, folder: Path) -> list[Target]:
    """Time iterations of a bare loop, of our runner and of MMEngine's, on one tiny model."""
    import tiny_training

    candidates = {
        'bare loop': tiny_training.bare(),
        'noiseedit runner': tiny_training.ours(folder / 'ours'),
        'mmengine runner': tiny_training.stock(folder / 'stock'),
    }

    def iterations(step: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(ITERATIONS):
                step()

        return run

    times = measure(
        {name: iterations(step) for name, step in candidates.items()}, rounds=rounds, budget=budget
    )
    print(table(f'{ITERATIONS} iterations', times, items=ITERATIONS, unit='iteration'))
    bare = times['bare loop'].seconds
    overhead = (times['noiseedit runner'].seconds - bare) / ITERATIONS
    return [Target('overhead per iteration, ms', overhead * 1e3, '<=', 0.2)]


def main() -> None:
    args = parse_args(__doc__)
    one_thread()
    print(versions('torch', 'mmengine', 'numpy'))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        targets = startup(min(args.rounds, 7), folder)
        targets += loop_overhead(args.rounds, args.budget, folder)
    report(targets)


if __name__ == '__main__':
    main()

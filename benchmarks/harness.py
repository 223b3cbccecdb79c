"""How every benchmark here is timed: interleaved rounds, rotated order, medians, ratios.

On a shared machine the wall time of a call varies several-fold and drifts, so no two candidates may
be timed one after the other. :func:`measure` runs all of them once per round, begins each round
with another one, repeats a call to fill ``budget`` seconds, and keeps the median over rounds.
The headline of single-threaded code is process CPU time (``clock='cpu'``). Code that uses several
threads or waits for disks and processes is judged by wall time (``clock='wall'``, or
``'wall_min'``: the quietest round). Figures compare within one run only: quote ratios.

A benchmark script is::

    from harness import Target, measure, one_thread, parse_args, ratio, report, table, versions

    args = parse_args(__doc__)                     # --quick, --rounds, --save
    one_thread()
    print(versions('numpy', 'torch'))
    times = measure({'ours': f, 'peer': g}, rounds=args.rounds, budget=args.budget)
    print(table('what was timed', times, items=n, unit='value'))
    report([Target('peer / ours', ratio(times, 'peer', 'ours'), '>=', 2)])
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import io
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Clock = Literal['cpu', 'wall', 'wall_min']
DOCS = Path(__file__).parents[1] / 'docs' / 'benchmarks.md'
Candidates = Mapping[str, Callable[[], object]]


@dataclass(frozen=True)
class Timing:
    """Seconds per call of one candidate; ``seconds`` is the headline, by the clock asked for."""

    seconds: float
    cpu: float
    wall: float
    wall_min: float


@dataclass(frozen=True)
class Target:
    """A figure and the bound it must meet.

    Args:
        name: What is measured, with its unit.
        figure: The figure reached.
        relation: ``'>='`` or ``'<='``.
        bound: What the figure is held against.
    """

    name: str
    figure: float
    relation: Literal['>=', '<=']
    bound: float

    @property
    def met(self) -> bool:
        """Whether the figure meets the bound."""
        return self.figure >= self.bound if self.relation == '>=' else self.figure <= self.bound

    def __str__(self) -> str:
        """Show verdict, name, figure and bound in one line."""
        verdict = 'PASS' if self.met else 'MISS'
        return f'{verdict}  {self.name}: {self.figure:.4g} ({self.relation} {self.bound:g})'


def _repetitions(call: Callable[[], object], budget: float) -> int:
    """Return how many calls fill ``budget`` seconds; the first call (caches) is not counted."""
    call()
    start = time.perf_counter()
    call()
    return max(1, int(budget / max(time.perf_counter() - start, 1e-9)))


def _time_once(call: Callable[[], object], repetitions: int) -> tuple[float, float]:
    """Return CPU and wall seconds per call."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(repetitions):
        call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return cpu / repetitions, wall / repetitions


def measure(
    candidates: Candidates, *, rounds: int = 15, budget: float = 0.03, clock: Clock = 'cpu'
) -> dict[str, Timing]:
    """Time every candidate in interleaved rounds; see the module.

    Args:
        candidates: Name -> function without arguments.
        rounds: Rounds; the median is taken over them.
        budget: Seconds of repeated calls per candidate and round.
        clock: What ``Timing.seconds`` holds.
    """
    names = list(candidates)
    repetitions = {name: _repetitions(candidates[name], budget) for name in names}
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                samples[name].append(_time_once(candidates[name], repetitions[name]))
    finally:
        gc.enable()
    return {name: _summary(samples[name], clock) for name in names}


def _summary(samples: list[tuple[float, float]], clock: Clock) -> Timing:
    cpu, wall = (list(column) for column in zip(*samples, strict=True))
    median = statistics.median(cpu), statistics.median(wall), min(wall)
    headline = dict(zip(('cpu', 'wall', 'wall_min'), median, strict=True))[clock]
    return Timing(headline, *median)


def table(
    title: str,
    times: Mapping[str, Timing],
    *,
    items: int | None = None,
    unit: str = 'value',
    baseline: str | None = None,
) -> str:
    """Return a Markdown table: median ms, ns per item, ratio to ``baseline``.

    Args:
        title: What was timed.
        times: What :func:`measure` returned.
        items: How many items (values, pixels, images) one call handles; ``None``: no such column.
        unit: What an item is.
        baseline: The candidate that ratios refer to; ``None``: the first.
    """
    base = times[baseline or next(iter(times))].seconds
    columns = ['ms', *([f'ns/{unit}'] if items else []), 'ratio']
    lines = [f'### {title}', '', '| candidate | ' + ' | '.join(columns) + ' |']
    lines.append('|---|' + '---:|' * len(columns))
    for name, timing in times.items():
        cells = [f'{timing.seconds * 1e3:.3f}']
        cells += [f'{timing.seconds / items * 1e9:.2f}'] if items else []
        lines.append(f'| {name} | ' + ' | '.join([*cells, f'{timing.seconds / base:.2f}']) + ' |')
    return '\n'.join(lines) + '\n'


def ratio(times: Mapping[str, Timing], slow: str, fast: str) -> float:
    """Return how many times longer ``slow`` takes than ``fast``."""
    return times[slow].seconds / times[fast].seconds


def report(targets: list[Target]) -> bool:
    """Print one PASS or MISS line per target; return whether all were met."""
    print('### Targets\n\n```')
    for target in targets:
        print(target)
    print('```')
    return all(target.met for target in targets)


def one_thread() -> None:
    """Keep torch and OpenCV on one thread each, as in a data worker."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def versions(*packages: str) -> str:
    """Return Python, machine, load and the version of each package (or that it is missing)."""
    found = [f'Python {platform.python_version()}']
    for package in packages:
        try:
            found.append(f'{package} {importlib.metadata.version(package)}')
        except importlib.metadata.PackageNotFoundError:
            found.append(f'{package} missing')
    machine = f'{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}'
    return f'{machine}; {", ".join(found)}\n'


@contextmanager
def section(name: str, save: bool) -> Iterator[None]:
    """Put what is printed inside into docs/benchmarks.md, if ``save``, as well as on the screen.

    Args:
        name: The text between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` is replaced.
        save: Whether to write; without it nothing happens.
    """
    if not save:
        yield
        return
    with redirect_stdout(io.StringIO()) as printed:
        yield
    print(printed.getvalue())
    before, rest = DOCS.read_text().split(f'<!-- begin {name} -->\n')
    after = rest.split(f'<!-- end {name} -->')[1]
    text = f'<!-- begin {name} -->\n{printed.getvalue().strip()}\n<!-- end {name} -->'
    DOCS.write_text(before + text + after)


def parse_args(description: str | None, *extra: str) -> argparse.Namespace:
    """Parse ``--quick``, ``--rounds``, ``--save``; adds ``rounds`` and ``budget`` to the result.

    Args:
        description: The docstring of the script.
        extra: More flags without value, e.g. ``'--gpu'``.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--quick', action='store_true', help='few short rounds: a smoke test')
    parser.add_argument('--rounds', type=int, help='rounds per comparison (15; quick: 3)')
    parser.add_argument('--save', action='store_true', help='write into docs/benchmarks.md')
    for flag in extra:
        parser.add_argument(flag, action='store_true')
    args = parser.parse_args()
    args.rounds = args.rounds or (3 if args.quick else 15)
    args.budget = 0.005 if args.quick else 0.03
    return args

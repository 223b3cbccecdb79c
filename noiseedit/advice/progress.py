"""How far an advice is: a bar on a terminal, a few lines in a log; both on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from noiseedit.theory.streaming import Progress

LOG_STEPS = 4  # lines per stage


def show(stage: str, total: int) -> Progress:
    """Return what wraps the ``total`` items of a stage and shows how many are done."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        return lambda items: _logged(items, stage, total)
    from rich.progress import track

    return lambda items: track(
        items, description=stage, total=total, console=console, transient=True
    )


def _logged(items: Iterable[Any], stage: str, total: int) -> Iterator[Any]:
    for done, item in enumerate(items, start=1):
        yield item
        if done * LOG_STEPS // total > (done - 1) * LOG_STEPS // total:
            print(f'{stage}: {done}/{total}', file=sys.stderr, flush=True)

"""How far a sweep is: a bar on a terminal, a few lines in a log."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any

from mmengine.dist import is_main_process

LOG_STEPS = 10


class SweepProgress:
    """Count images and cells; use as a context.

    Args:
        images: How many there are.
        cells: How many forward passes each image takes.
        logger: Told about every tenth of the images where there is no terminal.
    """

    def __init__(self, images: int, cells: int, logger: logging.Logger) -> None:
        self.total, self.cells, self.logger = images, cells, logger
        self.done = 0
        self._bar: Any = None

    def __enter__(self) -> SweepProgress:
        """Show the bar where there is a terminal."""
        self.logger.info(f'sweep: {self.total} images x {self.cells} cells')
        if is_main_process():
            self._bar = _bar()
        if self._bar is not None:
            self._images = self._bar.add_task('images', total=self.total)
            self._cells = self._bar.add_task('cells', total=self.cells)
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()

    def cell(self) -> None:
        """One cell of the present batch is done."""
        if self._bar is not None:
            self._bar.advance(self._cells)

    def images(self, count: int) -> None:
        """``count`` images are done."""
        before, self.done = self.done, min(self.total, self.done + count)
        if self._bar is not None:
            self._bar.update(self._images, completed=self.done)
            self._bar.reset(self._cells)
        elif before * LOG_STEPS // self.total < self.done * LOG_STEPS // self.total:
            self.logger.info(f'sweep: {self.done}/{self.total} images')


def _bar() -> Any:
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        return None
    from rich import progress

    return progress.Progress(
        progress.TextColumn('{task.description}'),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
    )

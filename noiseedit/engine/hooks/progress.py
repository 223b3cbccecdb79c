"""A progress bar on a terminal; nothing in a log file."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from noiseedit.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Show iterations, speed and time left while training, on rank 0 and on a terminal only."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._progress: Any = None
        self._streams: list[tuple[Any, Any]] = []

    def before_train(self, runner: Runner) -> None:
        """Show the bar."""
        from rich.console import Console

        console = Console(stderr=True)
        if not (is_main_process() and console.is_terminal):
            return
        from rich import progress

        self._progress = progress.Progress(
            progress.TextColumn('training'),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task('', total=runner.max_iters, completed=runner.iter)
        self._progress.start()
        self._redirect(runner.logger, console)

    def _redirect(self, logger: logging.Logger, console: Any) -> None:
        """Print log lines above the bar instead of through it."""
        from rich.file_proxy import FileProxy

        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                self._streams.append((handler, handler.stream))
                handler.setStream(FileProxy(console, handler.stream))

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Move the bar."""
        if self._progress is not None:
            self._progress.update(self._task, completed=runner.iter + 1)

    def after_train(self, runner: Runner) -> None:
        """Remove the bar."""
        if self._progress is None:
            return
        self._progress.stop()
        for handler, stream in self._streams:
            handler.setStream(stream)
        self._progress, self._streams = None, []

    after_failure = after_train

"""Score samples in threads, while the next forward pass runs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from noiseedit.evaluation.metrics import ImageMetric, score_all
from noiseedit.evaluation.metrics.base import PairMetric, Prepared
from noiseedit.structures import EditSample

Scores = dict[str, float]


def prepare_target(metrics: Sequence[ImageMetric], sample: EditSample) -> Prepared:
    """Return the target of ``sample`` as each protocol of ``metrics`` wants it."""
    protocols = {metric.protocol for metric in metrics if isinstance(metric, PairMetric)}
    return {one: one.prepare(sample.gt) for one in protocols} if 'gt' in sample else {}


class ScorePool:
    """A few threads that score samples; results come back in the order they were submitted.

    OpenCV, NumPy and torch let go of Python's lock, so that images are scored at the same time.
    At most ``backlog`` samples wait: more would only hold memory.

    Args:
        metrics: What to score.
        receive: Called with (tag, scores) in the thread that submits.
        workers: Threads; ``None``: one per processor, at most four.
        backlog: Samples that may wait.
    """

    def __init__(
        self,
        metrics: Sequence[ImageMetric],
        receive: Callable[[Any, Scores], None],
        workers: int | None = None,
        backlog: int = 32,
    ) -> None:
        self.metrics, self.receive, self.backlog = metrics, receive, backlog
        self._pool = ThreadPoolExecutor(workers or min(4, os.cpu_count() or 1))
        self._waiting: deque[tuple[Any, Future[Scores]]] = deque()

    def submit(self, tag: Any, sample: EditSample, target: Prepared | None = None) -> None:
        """Score ``sample``; ``target`` is what :func:`prepare_target` made of it."""
        future = self._pool.submit(score_all, self.metrics, sample, target)
        self._waiting.append((tag, future))
        self._hand_over(self.backlog)

    def drain(self) -> None:
        """Wait for all that were submitted."""
        self._hand_over(0)

    def _hand_over(self, allowed: int) -> None:
        while self._waiting and (len(self._waiting) > allowed or self._waiting[0][1].done()):
            tag, future = self._waiting.popleft()
            self.receive(tag, future.result())

    def close(self) -> None:
        """Give up what waits and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def score_images(
    metrics: Sequence[ImageMetric], samples: Sequence[EditSample], workers: int | None = None
) -> list[Scores]:
    """Return the scores of every sample, computed in ``workers`` threads."""
    scores: list[Scores] = []
    pool = ScorePool(metrics, lambda _, found: scores.append(found), workers)
    try:
        for sample in samples:
            pool.submit(None, sample)
        pool.drain()
    finally:
        pool.close()
    return scores

"""The history of a logged scalar in constant time and memory per step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.logging import HistoryBuffer

HISTORY_LENGTH = 1000
"""Values kept per scalar: far more than any smoothing window; the full record is in the log."""


class BoundedHistory(HistoryBuffer):
    """MMEngine's history without its copy of everything at every step.

    Values go into arrays of twice the length kept; when they are full, the newest half moves to
    the front.

    Args:
        log_history: Values so far.
        count_history: Their weights.
        max_length: Values kept.
    """

    def __init__(
        self,
        log_history: Sequence[float] = (),
        count_history: Sequence[int] = (),
        max_length: int = HISTORY_LENGTH,
    ) -> None:
        super().__init__([], [], max_length)
        self._values = np.zeros(2 * max_length)
        self._counts: np.ndarray = np.zeros(2 * max_length, dtype=np.int64)
        self._end = 0
        for value, count in zip(
            log_history[-max_length:], count_history[-max_length:], strict=True
        ):
            self.update(float(value), int(count))

    def update(self, log_val: float, count: int = 1) -> None:
        """Append a value and its weight."""
        if self._end == len(self._values):
            self._values[: self.max_length] = self._values[self.max_length :]
            self._counts[: self.max_length] = self._counts[self.max_length :]
            self._end = self.max_length
        self._values[self._end], self._counts[self._end] = log_val, count
        self._end += 1
        begin = max(0, self._end - self.max_length)
        self._log_history = self._values[begin : self._end]
        self._count_history = self._counts[begin : self._end]

"""What happens on unreadable images: stop at once, or skip a few and say which."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from mmengine.logging import print_log
from torch import Tensor

from noiseedit.errors import ConfigError, DataError

OnError: TypeAlias = Literal['raise', 'skip']


class SkipList:
    """Unreadable images of one data set, counted over all of its worker processes.

    Args:
        names: What the images are called.
        on_error: ``'raise'``: :meth:`mark` raises the error. ``'skip'``: it logs every image once,
            and all of them when the list goes out of use.
        max_fraction: With ``'skip'``: the part of ``names``, in [0, 1], that may be unreadable.

    Raises:
        ConfigError: If ``on_error`` or ``max_fraction`` is something else.
    """

    def __init__(self, names: Sequence[str], on_error: OnError, max_fraction: float) -> None:
        if on_error not in ('raise', 'skip'):
            raise ConfigError(f"on_error: expected 'raise' or 'skip', got {on_error!r}")
        if not 0 <= max_fraction <= 1:
            raise ConfigError(f'max_skip_fraction: expected 0 to 1, got {max_fraction}')
        self.names, self.on_error, self.max_fraction = names, on_error, max_fraction
        self._marks = torch.zeros(len(names), dtype=torch.bool)
        if on_error == 'skip':
            self._marks.share_memory_()
            weakref.finalize(self, _list_all, names, self._marks, os.getpid())

    @property
    def skipped(self) -> list[str]:
        """Names of the images found unreadable so far."""
        return _marked(self.names, self._marks)

    def mark(self, index: int, error: DataError) -> None:
        """Note that image ``index`` is unreadable.

        Raises:
            DataError: ``error`` itself under ``'raise'``; when too many images are unreadable.
        """
        if self.on_error == 'raise':
            raise error
        if self._marks[index]:
            return
        self._marks[index] = True
        count = int(self._marks.sum())
        state = f'{count} of {len(self.names)} images unreadable so far'
        if count > self.max_fraction * len(self.names):
            listed = '\n  '.join(self.skipped)
            raise DataError(
                f'{state}, more than max_skip_fraction={self.max_fraction:g} allows; '
                f'the last: {error}. All:\n  {listed}'
            ) from error
        print_log(f'skipped: {error} ({state})', 'current', logging.WARNING)


def _marked(names: Sequence[str], marks: Tensor) -> list[str]:
    return [names[index] for index in marks.nonzero().flatten().tolist()]


def _list_all(names: Sequence[str], marks: Tensor, owner: int) -> None:
    skipped = _marked(names, marks)
    if skipped and os.getpid() == owner:
        text = '\n  '.join(skipped)
        print_log(f'{len(skipped)} unreadable images were skipped:\n  {text}', 'current')

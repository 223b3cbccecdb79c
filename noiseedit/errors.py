"""Errors that noiseedit raises on purpose; everything else is a bug."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NoiseEditError(Exception):
    """Base of every error that a user can cause and mend."""


class UnknownNameError(NoiseEditError, KeyError):
    """A name that no registry, preset table or config knows."""

    def __str__(self) -> str:
        """Return the message itself (``KeyError`` would print its ``repr``)."""
        return str(self.args[0]) if self.args else ''


class ConfigError(NoiseEditError, ValueError):
    """A config that cannot be used as it is written."""


class DataError(NoiseEditError, ValueError):
    """An image, a folder or a pair that cannot be used; the message names the path."""


class CheckpointError(NoiseEditError, RuntimeError):
    """A checkpoint that is damaged, unsafe or does not fit the model."""


class MissingWeightsError(NoiseEditError, FileNotFoundError):
    """Pretrained weights are not on this machine; the message names file, source and way round."""


class MissingExtraError(NoiseEditError, ImportError):
    """An optional package is needed; the message holds the ``pip`` command."""


class TrainingDivergedError(NoiseEditError, ArithmeticError):
    """A loss term became NaN or infinite; the message names it."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return the ``count`` names of ``known`` that look most like ``name``, best first."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.0)
    return [by_lower[match] for match in matches]

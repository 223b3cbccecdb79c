"""The noise at test as it was asked for: a largest level, or images to estimate it from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from noiseedit.advice.options import Options
from noiseedit.theory import convert_variance
from noiseedit.theory.estimate import deployment_levels, half_size_ratio
from noiseedit.theory.streaming import Progress

Stages: TypeAlias = Callable[[str, int], Progress | None]

SAMPLE = 16  # images on which noise and noise in the data are measured


class Deployment(NamedTuple):
    """Noise at test: its largest variance, where that comes from, what images tell of it.

    Attributes:
        max_variance: ``lambda_max``.
        source: How it was given or estimated.
        estimates: Variance of every deployment image.
        half_size_ratio: See :func:`~noiseedit.theory.half_size_ratio`.
    """

    max_variance: float
    source: str
    estimates: np.ndarray | None = None
    half_size_ratio: float | None = None


def find_deployment(asked: Options, stages: Stages) -> Deployment:
    """Return the noise at test, given or estimated from images.

    Args:
        asked: How it is given.
        stages: See :func:`noiseedit.advice.advise`.

    Raises:
        ConfigError: If the level is too large for a float.
        DataError: If a deployment image cannot be used (named).
    """
    if asked.max_variance is not None:
        text = (
            f'given as variance {asked.max_variance:g} in {asked.range}; all below equally likely'
        )
        return Deployment(asked.max_variance, text)
    if asked.max_sigma is not None:
        variance = convert_variance(asked.max_sigma * asked.max_sigma, 'uint8', asked.range)
        text = (
            f'given as sigma {asked.max_sigma:g} in 8-bit units; all variances below equally likely'
        )
        return Deployment(variance, text)
    return _estimated(asked, stages)


def _estimated(asked: Options, stages: Stages) -> Deployment:
    from noiseedit.imaging import list_images

    files = list_images(str(asked.deployment))
    progress = stages('deployment images', len(files))
    found = deployment_levels(
        files, value_range=asked.range, workers=asked.workers, progress=progress
    )
    text = f'mean and 95th percentile of the estimates of {len(files)} images in {asked.deployment}'
    ratio = half_size_ratio(spread(files, SAMPLE))
    return Deployment(found.max_variance, text, found.variances, ratio)


def spread(files: Sequence[Path], count: int | None) -> list[Path]:
    """Return ``count`` of the files, evenly spread; all if there are no more, or for ``None``."""
    if count is None or count >= len(files):
        return list(files)
    return [files[index * len(files) // count] for index in range(count)]

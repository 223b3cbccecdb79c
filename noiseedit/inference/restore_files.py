"""A file or a folder of images through a trained model: resumable, one bad file loses no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from noiseedit.datasets.base import to_tensor
from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import ImageMetric, score_all
from noiseedit.imaging import (
    DEEP_SUFFIXES,
    MAX_PIXELS,
    WRITABLE_SUFFIXES,
    has_transparency,
    list_images,
    read_image,
    to_float,
    write_image,
)
from noiseedit.inference.restoring import Done, Restorer
from noiseedit.noises.files import plan
from noiseedit.registry import METRICS
from noiseedit.structures import EditSample

Scores = dict[str, float]


@dataclass(frozen=True)
class Job:
    """One image.

    Attributes:
        source: File of the noisy image.
        target: File of the result.
        key: Relative path without suffix.
        clean: File of the clean image to compare with, if there is one.
    """

    source: Path
    target: Path
    key: str
    clean: Path | None = None

    @property
    def is_done(self) -> bool:
        """Whether the result is there, and no older than the image it was made of."""
        if not self.target.exists():
            return False
        return self.target.stat().st_mtime >= self.source.stat().st_mtime


@dataclass
class Outcome:
    """What became of an image.

    Attributes:
        job: The image.
        was_done: An earlier run made it.
        error: Why there is no result, or no comparison; empty: there is.
        notes: What happened to the image on its way, such as ``'transparency'``.
        scores: Metric -> value of the written result.
        before: Metric -> value of the noisy image.
    """

    job: Job
    was_done: bool = False
    error: str = ''
    notes: list[str] = field(default_factory=list)
    scores: Scores = field(default_factory=dict)
    before: Scores = field(default_factory=dict)


def plan_jobs(source: Path, out: Path, clean: Path | None = None) -> list[Job]:
    """Return the images of a file or a folder, recursive, and where their results go.

    A folder is mirrored as PNG files. The result of a file becomes the file ``out``, or with a
    folder's name (no image suffix) a PNG file in it.

    Args:
        source: An image or a folder of images.
        out: Where to.
        clean: Image, or folder of images of the same relative names; suffixes may differ.

    Raises:
        DataError: If there is no image, a clean one is missing, or two would become one file.
        ConfigError: If ``out`` lies in ``source``, or is the image itself, or a folder's results
            would go to one file.
    """
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise ConfigError(f'--out {out} lies in the folder of the images, {source}; take another')
    is_image = out.suffix.lower() in WRITABLE_SUFFIXES and not out.is_dir()
    if source.is_dir() and is_image:
        raise ConfigError(f'--out {out} is one file, but {source} a folder; name a folder')
    if source.is_file() and not is_image:
        out = out / f'{source.stem}.png'
    if out.resolve() == source.resolve():
        raise ConfigError(f'--out {out} is the image itself; its result would replace it')
    planned = plan(source, out)
    partners = _partners(clean, [key for _, _, key in planned]) if clean is not None else {}
    return [Job(*of, partners.get(of[2])) for of in planned]


def _partners(clean: Path, keys: Sequence[str]) -> dict[str, Path]:
    if clean.is_file() and len(keys) == 1:
        return {keys[0]: clean}
    found = {f.relative_to(clean).with_suffix('').as_posix(): f for f in list_images(clean)}
    if missing := [key for key in keys if key not in found]:
        shown = ', '.join(missing[:20]) + (', ...' if len(missing) > 20 else '')
        raise DataError(f'{clean}: no clean image for {len(missing)} of {len(keys)}: {shown}')
    return {key: found[key] for key in keys}


def restore_jobs(
    restorer: Restorer,
    jobs: Sequence[Job],
    *,
    keep: bool = True,
    max_pixels: int = MAX_PIXELS,
    done: Done = lambda count, total: None,
) -> Iterator[Outcome]:
    """Restore images one by one; yield what became of each, in order.

    Results have 16 bits where the image has. A file that cannot be used is an outcome with an
    error, and the next one follows.

    Args:
        restorer: What is done to an image.
        jobs: The images.
        keep: Leave results as they are that are there already.
        max_pixels: See :func:`~noiseedit.imaging.read_image`.
        done: Told how many tiles of how many of the present image are done.
    """
    for job in jobs:
        outcome = Outcome(job, was_done=keep and job.is_done)
        try:
            if not outcome.was_done:
                outcome.notes = _restore(restorer, job, max_pixels, done)
            if job.clean is not None:
                outcome.scores, outcome.before = compare(job, max_pixels)
        except (DataError, OSError) as error:
            outcome.error = str(error)
        yield outcome


def _restore(restorer: Restorer, job: Job, max_pixels: int, done: Done) -> list[str]:
    """Write the result; return notes."""
    image = read_image(job.source, channels=None, max_pixels=max_pixels)
    deep = image.dtype != np.uint8
    if deep and job.target.suffix.lower() not in DEEP_SUFFIXES:
        raise DataError(
            f'{job.target}: the image has 16 bits, which {job.target.suffix} cannot hold; '
            f'take one of {", ".join(DEEP_SUFFIXES)}'
        )
    try:
        write_image(job.target, restorer(image, done), bits=16 if deep else 8)
    except DataError as error:
        raise DataError(f'{job.source}: {error}') from error
    seen = {
        'transparency': has_transparency(job.source),
        'color': image.shape[2] == 3 and restorer.channels == 1,
        'grey': image.shape[2] == 1 and restorer.channels == 3,
    }
    return [name for name, holds in seen.items() if holds]


# Against clean images.


def compare(job: Job, max_pixels: int = MAX_PIXELS) -> tuple[Scores, Scores]:
    """Return PSNR and SSIM of the written result, and of the noisy image, against the clean one.

    As 8-bit images, or as floats if one of them has 16 bits. A grey clean image meets a result of
    three channels as R = G = B; SSIM is left out of images smaller than its window.

    Raises:
        DataError: If a file cannot be read, or the sizes differ.
    """
    clean = read_image(job.clean, channels=None, max_pixels=max_pixels)  # type: ignore[arg-type]
    written = read_image(job.target, channels=None, max_pixels=max_pixels)
    channels = 3 if 3 in (clean.shape[2], written.shape[2]) else 1
    if clean.shape[:2] != written.shape[:2]:
        raise DataError(
            f'{job.clean}: expected the size of {job.target}, {written.shape[:2]} (height, '
            f'width), got {clean.shape[:2]}; restored, but not compared'
        )
    noisy = read_image(job.source, channels=channels, max_pixels=max_pixels)  # type: ignore[arg-type]
    clean, written = (
        image if image.shape[2] == channels else np.repeat(image, channels, axis=2)
        for image in (clean, written)
    )
    deep = any(image.dtype != np.uint8 for image in (clean, written))
    metrics = _metrics(channels, deep, min(clean.shape[:2]))
    return _scores(metrics, written, clean), _scores(metrics, noisy, clean)


def _metrics(channels: int, deep: bool, side: int) -> list[ImageMetric]:
    protocol = {
        'channels': 'rgb' if channels == 3 else 'gray',
        'rounding': 'float' if deep else 'uint8',
    }
    names = ('PSNR', 'SSIM') if side >= 11 else ('PSNR',)
    return [METRICS.build({'type': name, **protocol}) for name in names]


def _scores(metrics: Sequence[ImageMetric], image: np.ndarray, clean: np.ndarray) -> Scores:
    pred, gt = (to_tensor(to_float(array)) for array in (image, clean))
    return score_all(metrics, EditSample(metainfo={'key': 'image'}, pred=pred, gt=gt))


def mean_scores(scores: Sequence[Mapping[str, float]]) -> Scores:
    """Return the mean of every metric over the images that have it."""
    names = dict.fromkeys(name for values in scores for name in values)
    found = {name: [values[name] for values in scores if name in values] for name in names}
    return {name: float(np.mean(values)) for name, values in found.items()}

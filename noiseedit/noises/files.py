"""Apply a noise to image files, as evaluation would see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from noiseedit.errors import DataError
from noiseedit.imaging import list_images, read_image, to_float, write_image
from noiseedit.noises.base import BaseNoise


def plan(source: Path, destination: Path) -> list[tuple[Path, Path, str]]:
    """Return (input file, output file, key) for a file or for every image of a folder.

    The key is the relative path without suffix, as data sets name it. A folder is mirrored; its
    pictures become PNG, which loses nothing.

    Raises:
        DataError: If ``source`` is missing or a folder without images, or if two pictures of it
            would become one file.
    """
    if source.is_file():
        return [(source, destination, source.stem)]
    files = list_images(source)
    keys = [file.relative_to(source).with_suffix('').as_posix() for file in files]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DataError(f'{source}: several images are called {twice!r}: rename one of them')
    return [(file, destination / f'{key}.png', key) for file, key in zip(files, keys, strict=True)]


def apply_to_files(
    noise: BaseNoise, source: Path, destination: Path, seed: int = 0
) -> Iterator[Path]:
    """Corrupt images one by one; yield each file written.

    Args:
        noise: What to apply; one stream per image (stream ``eval``, the image's key).
        source: A file or a folder.
        destination: A file, or a folder that mirrors ``source``.
        seed: Base seed.

    Raises:
        DataError: See :func:`plan`; or if an image cannot be read or written.
    """
    for file, target, key in plan(source, destination):
        write_image(target, corrupt_image(noise, read_image(file, channels=None), key, seed))
        yield target


def corrupt_image(
    noise: BaseNoise,
    image: np.ndarray,
    key: str,
    seed: int,
    *,
    repetition: int = 0,
    device: str | torch.device = 'cpu',
) -> np.ndarray:
    """Return the noisy image (H, W, C) float32, neither clipped nor rounded.

    Args:
        noise: What to apply.
        image: (H, W, C) uint8 or float in [0, 1].
        key: Names the image in the stream ``eval``.
        seed: Base seed.
        repetition: Which of several independent draws.
        device: Where the noise works.
    """
    x = torch.from_numpy(np.ascontiguousarray(to_float(image))).permute(2, 0, 1)[None].to(device)
    noisy = noise.per_sample(x, [key], seed, repetition=repetition)[0]
    return noisy.permute(1, 2, 0).contiguous().cpu().numpy()

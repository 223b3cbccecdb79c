"""Transferred noise on image files: resumable, one stream per image and sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from noiseedit.errors import DataError
from noiseedit.imaging import read_image, write_image
from noiseedit.inference.references import References
from noiseedit.inference.transferred_noise import TransferredNoise
from noiseedit.noises.files import corrupt_image, plan

RECORD = 'transferred.json'


class Transfer(NamedTuple):
    """One image to be made.

    Attributes:
        source: The clean image.
        target: PNG file of the noisy one.
        key: Relative path without suffix: names the stream of the image.
        sample: Which of several noisy versions.
    """

    source: Path
    target: Path
    key: str
    sample: int


def plan_transfers(clean: Path, out: Path, samples: int = 1) -> list[Transfer]:
    """Return what is made of a file or a folder of clean images.

    Args:
        clean: A folder is mirrored; its images keep their names.
        out: Folder of the results; of several samples each has a folder ``0``, ``1`` ... there.
            Inside ``clean`` its images are no clean ones.
        samples: Noisy versions of every image.

    Raises:
        DataError: See :func:`~noiseedit.noises.files.plan`; if ``samples`` is not positive; or if
            ``clean`` is ``out``.
    """
    if samples < 1:
        raise DataError(f'samples: expected at least 1, got {samples}')
    folders = [out] if samples == 1 else [out / str(sample) for sample in range(samples)]
    return [
        Transfer(source, target, key, sample)
        for sample, folder in enumerate(folders)
        for source, target, key in _files(clean, folder, out)
    ]


def _files(clean: Path, folder: Path, out: Path) -> list[tuple[Path, Path, str]]:
    if clean.is_file():
        return [(clean, folder / f'{clean.stem}.png', clean.stem)]
    results = out.resolve()
    files = [file for file in plan(clean, folder) if results not in file[0].resolve().parents]
    if not files:
        raise DataError(f'{clean}: all images lie in the folder of the results; choose another out')
    return files


def write_transfers(
    noise: TransferredNoise,
    transfers: Sequence[Transfer],
    seed: int = 0,
    device: str | torch.device = 'cpu',
) -> Iterator[Path]:
    """Write noisy images, 8 bit; yield every file that is there. Those that exist are kept.

    Args:
        noise: It should clip.
        transfers: From :func:`plan_transfers`.
        seed: Base seed; stream ``eval``, the image's key, the sample as repetition.
        device: Where the networks work.

    Raises:
        DataError: If an image cannot be read or written.
    """
    for source, target, key, sample in transfers:
        if not target.exists():
            image = read_image(source, channels=None)
            noisy = corrupt_image(noise, image, key, seed, repetition=sample, device=device)
            write_image(target, noisy)
        yield target


def fingerprint(references: References) -> str:
    """Return the SHA-256 of all reference files with their names."""
    found = hashlib.sha256()
    for file in references.files:
        found.update(f'{file.name}|'.encode())
        found.update(file.read_bytes())
    return found.hexdigest()

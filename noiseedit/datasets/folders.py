"""Data sets of image folders: clean, noisy, paired, unpaired."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from noiseedit.datasets.base import ImageDataset, Results, key_of, unique_keys
from noiseedit.datasets.skip import SkipList
from noiseedit.datasets.store import Channels, ImageFiles, ImageStore, open_images
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import PathLike, list_images
from noiseedit.registry import DATASETS
from noiseedit.seeding import derive_seed


class Folder:
    """The images of one folder, by key.

    Args:
        root: The folder; searched recursively.
        channels: 3 (grey is repeated), 1 (colour becomes grey) or ``None`` (as stored).
        cache: See :func:`~noiseedit.datasets.store.open_images`.
        ending: Take only files whose name ends so before the suffix, and leave the ending out of
            the key: ``'_real'`` makes ``d600_3_real.png`` the image ``d600_3``.
        pattern: Regular expression: take only files whose name (relative path without suffix and
            ending) matches as a whole; its groups, joined by ``/``, are the key, without groups the
            name. ``'photo(.+)/image(.+)'`` makes ``photo1/image0007.jpg`` the image ``1/0007``.
            ``None``: all.

    Raises:
        DataError: If the folder is missing or holds no such image.
        ConfigError: If ``pattern`` is no regular expression.
    """

    def __init__(
        self,
        root: PathLike,
        channels: Channels = 3,
        cache: PathLike | None = None,
        ending: str = '',
        pattern: str | None = None,
    ) -> None:
        self.root = Path(root)
        chosen = [file for file in list_images(root) if file.stem.endswith(ending)]
        names = {file: key_of(file, self.root).removesuffix(ending) for file in chosen}
        files = names if pattern is None else _matching(names, pattern)
        if not files:
            what = f'ends in {ending!r}' if pattern is None else f'matches {pattern!r}'
            raise DataError(f'{root}: no image whose name {what} (before the suffix)')
        self.files = sorted(files, key=lambda file: files[file])
        self.keys = unique_keys([files[file] for file in self.files], str(root))
        self.images: ImageFiles | ImageStore = open_images(
            self.root, self.files, channels, cache, ending + (pattern or '')
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.images[index]


def _matching(names: Mapping[Path, str], pattern: str) -> dict[Path, str]:
    """Return the files whose names match, with the key that the pattern's groups make."""
    try:
        matches = {file: re.fullmatch(pattern, name) for file, name in names.items()}
    except re.error as error:
        raise ConfigError(f'pattern {pattern!r} is no regular expression: {error}') from error
    return {
        file: '/'.join(part for part in match.groups() if part is not None) or match[0]
        for file, match in matches.items()
        if match is not None
    }


class _OneFolder(ImageDataset):
    """Base of sets of one folder.

    Args:
        data_root: The folder.
        channels: See :class:`Folder`.
        cache: See :class:`Folder`.
        ending: See :class:`Folder`.
        pattern: See :class:`Folder`.
        kwargs: ``pipeline``, ``seed``, ``on_error``, ``max_skip_fraction``; see
            :class:`~noiseedit.datasets.base.ImageDataset`.
    """

    input_name = ''

    def __init__(
        self,
        data_root: PathLike,
        *,
        channels: Channels = 3,
        cache: PathLike | None = None,
        ending: str = '',
        pattern: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.folder = Folder(data_root, channels, cache, ending, pattern)
        super().__init__(self.folder.keys, **kwargs)

    def read(self, index: int, visit: int) -> Results:
        """Return the image and its path."""
        paths = {self.input_name: str(self.folder.files[index])}
        return {self.input_name: self.folder[index], 'paths': paths}


@DATASETS.register_module()
class CleanFolder(_OneFolder):
    """Clean images: ``target``. The source is made of them by noise."""

    input_name = 'target'


@DATASETS.register_module()
class NoisyFolder(_OneFolder):
    """Images that are noisy from the start: ``real``; no clean ones exist."""

    input_name = 'real'


@DATASETS.register_module()
class PairedFolder(ImageDataset):
    """Pairs of ``source`` and ``target``: equal relative paths, any suffixes, equal sizes.

    Args:
        source_root: Folder of the inputs.
        target_root: Folder of the wanted outputs; may be the same with other endings.
        channels: See :class:`Folder`.
        cache: See :class:`Folder`.
        source_ending: See ``ending`` of :class:`Folder`.
        target_ending: Likewise.
        source_pattern: See ``pattern`` of :class:`Folder`: what two names have in common.
        target_pattern: Likewise.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        DataError: If an image has no partner (all are listed), or the sizes of a pair differ.
    """

    def __init__(
        self,
        source_root: PathLike,
        target_root: PathLike,
        *,
        channels: Channels = 3,
        cache: PathLike | None = None,
        source_ending: str = '',
        target_ending: str = '',
        source_pattern: str | None = None,
        target_pattern: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.source = Folder(source_root, channels, cache, source_ending, source_pattern)
        self.target = Folder(target_root, channels, cache, target_ending, target_pattern)
        super().__init__(self.source.keys, **kwargs)
        check_partners(self.source, self.target)

    def read(self, index: int, visit: int) -> Results:
        """Return both images and their paths."""
        source, target = self.source[index], self.target[index]
        paths = {
            'source': str(self.source.files[index]),
            'target': str(self.target.files[index]),
        }
        check_sizes(self.keys[index], {'source': source, 'target': target}, paths)
        return {'source': source, 'target': target, 'paths': paths}


class _Keyed(Protocol):
    """Images by key below one root."""

    root: Path
    keys: list[str]


def check_sizes(key: str, images: Mapping[str, np.ndarray], paths: Mapping[str, str]) -> None:
    """Refuse images of one item that differ in size.

    Raises:
        DataError: With key, paths and sizes.
    """
    sizes = {name: image.shape[:2] for name, image in images.items()}
    if len(set(sizes.values())) > 1:
        listed = ', '.join(f'{paths[name]} is {size}' for name, size in sizes.items())
        raise DataError(f'pair {key!r}: sizes differ: {listed} (height, width)')


def check_partners(source: _Keyed, target: _Keyed) -> None:
    """Refuse two sides whose keys differ.

    Raises:
        DataError: Lists the keys that only one side has.
    """
    if source.keys == target.keys:
        return
    only_source = sorted(set(source.keys) - set(target.keys))
    only_target = sorted(set(target.keys) - set(source.keys))
    raise DataError(
        'pairs need equal names (suffixes may differ).'
        + _listing(source.root, only_source)
        + _listing(target.root, only_target)
    )


def _listing(root: Path, names: list[str]) -> str:
    if not names:
        return ''
    shown = ', '.join(names[:20]) + (', ...' if len(names) > 20 else '')
    return f' Only in {root} ({len(names)}): {shown}.'


@DATASETS.register_module()
class UnpairedFolders(ImageDataset):
    """Two folders of unrelated images; every source meets a target drawn for key and visit.

    The length is that of the source folder. Metainfo ``target_key`` names the target.

    Args:
        source_root: Folder of domain one.
        target_root: Folder of domain two.
        channels: See :class:`Folder`.
        cache: See :class:`Folder`.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.
    """

    def __init__(
        self,
        source_root: PathLike,
        target_root: PathLike,
        *,
        channels: Channels = 3,
        cache: PathLike | None = None,
        **kwargs: Any,
    ) -> None:
        self.source = Folder(source_root, channels, cache)
        self.target = Folder(target_root, channels, cache)
        super().__init__(self.source.keys, **kwargs)
        skips = self.skips
        self.target_skips = SkipList(self.target.keys, skips.on_error, skips.max_fraction)

    def read(self, index: int, visit: int) -> Results:
        """Return the source and a drawn target."""
        source = self.source[index]
        other, target = self._drawn_target(index, visit)
        paths = {
            'source': str(self.source.files[index]),
            'target': str(self.target.files[other]),
        }
        target_key = self.target.keys[other]
        return {'source': source, 'target': target, 'paths': paths, 'target_key': target_key}

    def _drawn_target(self, index: int, visit: int) -> tuple[int, np.ndarray]:
        """Return the first readable one of a sequence of draws."""
        for trial in count():
            number = derive_seed(self.seed, 'data', self.keys[index], visit, 'target', trial)
            other = number % len(self.target)
            try:
                return other, self.target[other]
            except DataError as error:
                self.target_skips.mark(other, error)
                if len(self.target_skips.skipped) == len(self.target):
                    break
        raise DataError(f'{self.target.root}: no readable image')

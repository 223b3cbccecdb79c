"""Photographs of faces and their drawn sketches: CUFS, CUFSF, and folders laid out like them.

Face Photo-Sketch Synthesis and Recognition, X. Wang, X. Tang, PAMI 2009 (CUFS: CUHK student, AR,
XM2VTS); Coupled Information-Theoretic Encoding for Face Photo-Sketch Recognition, W. Zhang, X.
Wang, X. Tang, CVPR 2011 (CUFSF: photographs of FERET). The images need their owners' licences;
nothing of them is shipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from noiseedit.datasets.base import ImageDataset, Results
from noiseedit.datasets.folders import Folder
from noiseedit.datasets.identities import (
    SPLITS,
    Counts,
    Identity,
    IdentityList,
    Split,
    check_counts,
    default_list,
    read_list,
)
from noiseedit.datasets.transforms.drawing import Direction, in_direction
from noiseedit.errors import ConfigError, DataError, nearest
from noiseedit.imaging import PathLike
from noiseedit.registry import DATASETS

PUBLISHED_COUNTS: dict[str, Counts] = {
    'CUHK': (88, 100),
    'AR': (80, 43),
    'XM2VTS': (100, 195),
    'CUFSF': (250, 944),
}
"""Identities for training and for the test, as the field counts them; the lists themselves vary."""

CUFS_DATABASES = ('CUHK', 'AR', 'XM2VTS')
ALIGNED = (250, 200)
"""(height, width) of images aligned on the eyes and cropped, as CUFS and CUFSF are used."""


@DATASETS.register_module()
class FaceSketches(ImageDataset):
    """Pairs of photograph and sketch, in folders of databases, split by a list of identities.

    Files: ``data_root/DATABASE/photo/NAME.*`` and ``data_root/DATABASE/sketch/NAME.*``, any suffix,
    sub-folders allowed. Keys are ``DATABASE/NAME`` by the photograph's name. Every sample's
    metainfo has ``database``, ``identity_list`` (its name) and ``identity_list_sha256``; so has
    :attr:`metainfo`, which checkpoints and sweeps keep.

    Args:
        data_root: Folder of the databases.
        split: ``'train'`` or ``'test'``.
        databases: Name -> identities for (training, test); ``None``: any numbers, by a list.
        direction: ``'photo2sketch'`` or ``'sketch2photo'``: which is ``source``, which ``target``.
        list_file: See :func:`~noiseedit.datasets.identities.read_list`; ``None``: our own split,
            :func:`~noiseedit.datasets.identities.default_list`.
        check_counts: Refuse a list whose numbers differ from those of ``databases``.
        size: (height, width) that every image must have; ``None``: any, equal within a pair.
        photo: Where photographs are: ``folder``, and ``ending`` or ``pattern`` of
            :class:`~noiseedit.datasets.folders.Folder` where names need them.
        sketch: The same of sketches.
        kwargs: ``cache``, and those of :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        ConfigError: On another split or direction, no databases, or neither counts nor list.
        DataError: If counts do not agree, a file is missing, or an image has another size.
    """

    def __init__(
        self,
        data_root: PathLike,
        split: Split = 'train',
        *,
        databases: Mapping[str, Counts | None],
        direction: Direction = 'photo2sketch',
        list_file: PathLike | None = None,
        check_counts: bool = True,
        size: tuple[int, int] | None = ALIGNED,
        photo: Mapping[str, Any] | None = None,
        sketch: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if split not in SPLITS or not databases:
            raise ConfigError(
                f"expected split 'train' or 'test' and databases, got {split!r}, {databases!r}"
            )
        in_direction(direction, None, None)
        self.split, self.direction = split, direction
        self.size = None if size is None else tuple(size)
        root, cache = Path(data_root), kwargs.pop('cache', None)
        self.photos = _open(root, databases, {'folder': 'photo', **(photo or {})}, cache)
        self.sketches = _open(root, databases, {'folder': 'sketch', **(sketch or {})}, cache)
        self.identities = self._choose_list(list_file, databases, check_counts)
        self.provenance = {
            'identity_list': self.identities.name,
            'identity_list_sha256': self.identities.sha256,
        }
        chosen = [pair for name in databases for pair in self.identities.of(name, split)]
        self.places = self._locate(chosen)
        super().__init__([f'{pair.database}/{pair.photo}' for pair in chosen], **kwargs)
        self._tell()

    def _locate(self, pairs: Sequence[Identity]) -> list[tuple[str, int, int]]:
        """Return database, place of the photograph and place of the sketch of every pair."""
        photos = _indices([(pair.database, pair.photo) for pair in pairs], self.photos)
        sketches = _indices([(pair.database, pair.sketch) for pair in pairs], self.sketches)
        return [
            (pair.database, *place)
            for pair, place in zip(pairs, zip(photos, sketches, strict=True), strict=True)
        ]

    def _choose_list(
        self, list_file: PathLike | None, counts: Mapping[str, Counts | None], check: bool
    ) -> IdentityList:
        if list_file is None:
            return default_list({name: f.keys for name, f in self.photos.items()}, counts)
        identities = read_list(list_file, list(counts))
        if check:
            check_counts(identities, counts)
        return identities

    @property
    def metainfo(self) -> dict[str, Any]:
        """What was used: split, direction, identities per database, the list and its hash."""
        sizes = {name: len(self.identities.of(name, self.split)) for name in self.photos}
        return {
            **super().metainfo,
            'split': self.split,
            'direction': self.direction,
            'databases': sizes,
            **self.provenance,
        }

    def _tell(self) -> None:
        print_log(
            f'{type(self).__name__}, {self.split}: {len(self)} pairs; identity list '
            f'{self.identities.name}, SHA-256 {self.identities.sha256}',
            'current',
        )

    def read(self, index: int, visit: int) -> Results:
        """Return both images, their paths, and what the split came from."""
        database, photo, sketch = self.places[index]
        folders = (self.photos[database], self.sketches[database])
        files = (str(folders[0].files[photo]), str(folders[1].files[sketch]))
        images = (folders[0][photo], folders[1][sketch])
        for file, image in zip(files, images, strict=True):
            self._check_size(file, image.shape[:2], images[0].shape[:2])
        return {
            **in_direction(self.direction, *images),
            'paths': in_direction(self.direction, *files),
            'database': database,
            **self.provenance,
        }

    def _check_size(self, file: str, size: tuple[int, ...], photo: tuple[int, ...]) -> None:
        if size != (self.size or photo):
            raise DataError(
                f'{file}: expected {self.size or photo} (height, width), got {size}; align and '
                'crop the images first, both of a pair to one size'
            )


def _open(
    root: Path, databases: Iterable[str], settings: Mapping[str, Any], cache: PathLike | None
) -> dict[str, Folder]:
    """Return the folder of each database: ``root/database/settings['folder']``."""
    others = {name: value for name, value in settings.items() if name != 'folder'}
    try:
        return {
            database: Folder(root / database / settings['folder'], cache=cache, **others)
            for database in databases
        }
    except DataError as error:
        raise DataError(
            f'{error}. Expected {root}/DATABASE/photo/NAME.* and {root}/DATABASE/sketch/NAME.* '
            f'for the databases {", ".join(databases)}'
        ) from error


def _indices(names: Sequence[tuple[str, str]], folders: Mapping[str, Folder]) -> list[int]:
    """Return the place of every (database, name) in its folder.

    Raises:
        DataError: If files are missing; counts and names them, up to 20.
    """
    known = {
        (database, key): index
        for database, folder in folders.items()
        for index, key in enumerate(folder.keys)
    }
    if missing := [name for name in names if name not in known]:
        listed = ', '.join('/'.join(name) for name in missing[:20])
        roots = ', '.join(str(folder.root) for folder in folders.values())
        raise DataError(
            f'{len(missing)} of {len(names)} images are missing in {roots}: {listed}'
            f'{", ..." if len(missing) > 20 else ""}. Names count without suffix; where a sketch '
            'is called otherwise than its photograph, rename it, set pattern or ending, or name it '
            'in list_file'
        )
    return [known[name] for name in names]


@DATASETS.register_module()
class CUFS(FaceSketches):
    """CUHK Face Sketch database: CUHK student, AR and XM2VTS, scored as one set of 338 pairs.

    Args:
        data_root: Holds ``CUHK/photo``, ``CUHK/sketch``, ``AR/photo`` ...
        split: ``'train'`` (88 + 80 + 100 = 268 pairs) or ``'test'`` (100 + 43 + 195 = 338).
        databases: Those to take.
        kwargs: See :class:`FaceSketches`.
    """

    def __init__(
        self,
        data_root: PathLike,
        split: Split = 'train',
        *,
        databases: Sequence[str] = CUFS_DATABASES,
        **kwargs: Any,
    ) -> None:
        for name in databases:
            if name not in CUFS_DATABASES:
                raise ConfigError(
                    f'CUFS: no database {name!r}; nearest: {nearest(name, CUFS_DATABASES, 1)[0]}; '
                    f'all: {", ".join(CUFS_DATABASES)}'
                )
        counts = {name: PUBLISHED_COUNTS[name] for name in databases}
        super().__init__(data_root, split, databases=counts, **kwargs)


@DATASETS.register_module()
class CUFSF(FaceSketches):
    """CUHK Face Sketch FERET database: 250 pairs for training, 944 for the test.

    Args:
        data_root: Holds ``CUFSF/photo`` and ``CUFSF/sketch``.
        split: ``'train'`` or ``'test'``.
        kwargs: See :class:`FaceSketches`.
    """

    def __init__(self, data_root: PathLike, split: Split = 'train', **kwargs: Any) -> None:
        counts = {'CUFSF': PUBLISHED_COUNTS['CUFSF']}
        super().__init__(data_root, split, databases=counts, **kwargs)

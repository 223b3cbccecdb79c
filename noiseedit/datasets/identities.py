"""Which identity is for training and which for the test: lists, read, made, counted and hashed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

from noiseedit.errors import ConfigError, DataError
from noiseedit.files import atomic_file
from noiseedit.imaging import PathLike
from noiseedit.seeding import derive_seed

Split = Literal['train', 'test']
Counts = tuple[int, int]
SPLITS: tuple[Split, Split] = ('train', 'test')

DEFAULT_LIST = 'noiseedit-v1'
"""Name of our own split, :func:`default_list`; it is that of no paper."""

FORMAT = (
    'one identity per line: DATABASE SPLIT PHOTO [SKETCH], separated by blanks or tabs, with SPLIT '
    'train or test, and SKETCH where its file has another name'
)


class Identity(NamedTuple):
    """One line of a list: a photograph and its sketch, by file names without suffix."""

    database: str
    split: str
    photo: str
    sketch: str

    @property
    def line(self) -> str:
        """The line as :meth:`IdentityList.write` writes it."""
        named = self if self.sketch != self.photo else self[:3]
        return '\t'.join(named) + '\n'


class IdentityList(NamedTuple):
    """The identities of one or more databases, sorted.

    Attributes:
        name: File name, or :data:`DEFAULT_LIST`.
        identities: Both splits.
    """

    name: str
    identities: tuple[Identity, ...]

    @property
    def text(self) -> str:
        """All lines: sorted, separated by tabs, without comments."""
        return ''.join(identity.line for identity in self.identities)

    @property
    def sha256(self) -> str:
        """SHA-256 of :attr:`text`: order, comments and blanks of the file do not matter."""
        return sha256(self.text.encode()).hexdigest()

    def of(self, database: str, split: str) -> list[Identity]:
        """Return the identities of one database and split."""
        wanted = (database, split)
        return [identity for identity in self.identities if identity[:2] == wanted]

    def write(self, path: PathLike) -> None:
        """Write :attr:`text`; ``sha256sum`` of the file is :attr:`sha256`."""
        with atomic_file(path) as temporary:
            temporary.write_bytes(self.text.encode())


def read_list(path: PathLike, databases: Sequence[str]) -> IdentityList:
    """Return the identities of ``databases`` in a list file; lines of others are left out.

    Args:
        path: A text file, UTF-8: :data:`FORMAT`; ``#`` begins a comment line.
        databases: Their names.

    Raises:
        DataError: If the file cannot be read, a line is malformed, an identity occurs twice, or
            there is none of a database; names file and line.
    """
    path = Path(path)
    try:
        lines = path.read_text('utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path}: the identity list cannot be read: {error}') from error
    found: dict[tuple[str, str, str], tuple[int, Identity]] = {}
    for number, identity in _parsed(lines, path):
        for image in (('photo', identity.photo), ('sketch', identity.sketch)):
            first, _ = found.setdefault((identity.database, *image), (number, identity))
            if first != number:
                raise DataError(
                    f'{path}: {image[0]} {image[1]!r} of {identity.database} is in line {first} '
                    f'and in line {number}; every identity belongs to one split, once'
                )
    chosen = {identity for _, identity in found.values() if identity.database in databases}
    _check_present(chosen, databases, path)
    return IdentityList(path.name, tuple(sorted(chosen)))


def _parsed(lines: Sequence[str], path: Path) -> Iterator[tuple[int, Identity]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith('#'):
            continue
        fields = [field.strip() for field in line.split('\t' if '\t' in line else None)]
        if len(fields) not in (3, 4) or fields[1] not in SPLITS or not all(fields):
            raise DataError(f'{path}, line {number}: expected {FORMAT}; got {line!r}')
        yield number, Identity(fields[0], fields[1], fields[2], fields[-1])


def _check_present(identities: set[Identity], databases: Sequence[str], path: Path) -> None:
    present = {identity.database for identity in identities}
    if missing := [name for name in databases if name not in present]:
        raise DataError(
            f'{path}: no identity of {", ".join(missing)}; the first word of a line is the database'
        )


def default_list(
    names: Mapping[str, Sequence[str]], counts: Mapping[str, Counts | None]
) -> IdentityList:
    """Return our own split: per database, training takes the identities that a hash puts first.

    Identities are ranked by ``derive_seed(0, 'perm', 'identities', database, name)``: always the
    same for the same names, and mixed, where sorted names would group by sex, session or camera.
    It has the published counts, not the published identities: compare results only with others of
    the same list.

    Args:
        names: Database -> names of all its photographs; sketches have equal names.
        counts: Database -> identities for training and for the test.

    Raises:
        ConfigError: If a database has no counts.
        DataError: If there are not as many identities as both counts together.
    """
    identities: list[Identity] = []
    for database, members in names.items():
        train, test = _counts_of(database, counts)
        if len(members) != train + test:
            raise DataError(
                f'{database}: {len(members)} identities found, expected {train} for training + '
                f'{test} for the test = {train + test}; complete the folders, or name those to '
                'take by list_file'
            )
        ranked = sorted(members, key=partial(derive_seed, 0, 'perm', 'identities', database))
        splits = ['train'] * train + ['test'] * test
        identities += [
            Identity(database, split, name, name)
            for split, name in zip(splits, ranked, strict=True)
        ]
    return IdentityList(DEFAULT_LIST, tuple(sorted(identities)))


def _counts_of(database: str, counts: Mapping[str, Counts | None]) -> Counts:
    found = counts.get(database)
    if found is None:
        raise ConfigError(
            f'{database}: without counts of identities, (train, test), there is no default split; '
            'give list_file, or databases=dict(NAME=(train, test))'
        )
    return found


def check_counts(identities: IdentityList, counts: Mapping[str, Counts | None]) -> None:
    """Compare a list with the counts it should have; ``None``: any.

    Raises:
        DataError: If one differs; names list, database and split.
    """
    got = Counter((identity.database, identity.split) for identity in identities.identities)
    for database, expected in counts.items():
        for split, count in zip(SPLITS, expected or (), strict=False):
            if got[database, split] != count:
                raise DataError(
                    f'{identities.name}: {database}: {got[database, split]} identities for '
                    f'{split}, expected {count}; correct the list, or set check_counts=False to '
                    'take it as it is (its results are then not comparable)'
                )

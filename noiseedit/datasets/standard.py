"""Published sets of real noise and of clean images, read where their owners' archives put them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from mmengine.logging import print_log

from noiseedit.datasets.base import ImageDataset, Results
from noiseedit.datasets.folders import Folder, check_partners, check_sizes
from noiseedit.datasets.layouts import LAYOUTS, Layout, Side
from noiseedit.datasets.mat_files import MatBlocks
from noiseedit.errors import ConfigError, DataError, UnknownNameError, nearest
from noiseedit.imaging import PathLike
from noiseedit.registry import DATASETS

Direction = Literal['noisy2clean', 'clean2noisy']
Images = Folder | MatBlocks
Facts = dict[str, str | int]


@DATASETS.register_module()
class StandardSet(ImageDataset):
    """A published set by the name of its layout, checked against what is published.

    Pairs give ``source`` and ``target``; sets of clean images ``target``; sets whose clean images
    are secret ``source``. What names tell (camera, ISO, scene) is metainfo of the samples.

    Args:
        data_root: The unpacked archive.
        layout: A key of :data:`noiseedit.datasets.layouts.LAYOUTS`.
        direction: ``'noisy2clean'``: what denoisers learn. ``'clean2noisy'``: what generators of
            noise learn, and what their metrics expect.
        only: Metainfo -> value, or values, to take: ``dict(camera=['d600', 'd800'])``.
        check_count: Refuse a set that is not complete.
        cache: See :func:`~noiseedit.datasets.store.open_images`.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        UnknownNameError: If there is no such layout; names the nearest.
        DataError: If files are not where the layout has them, not as many, or not in pairs; the
            message says what is expected where.
        ConfigError: On another direction, or if ``only`` names no fact of the set or leaves
            nothing.
    """

    def __init__(
        self,
        data_root: PathLike,
        layout: str,
        *,
        direction: Direction = 'noisy2clean',
        only: Mapping[str, Any] | None = None,
        check_count: bool = True,
        cache: PathLike | None = None,
        **kwargs: Any,
    ) -> None:
        if layout not in LAYOUTS:
            raise UnknownNameError(
                f'layout {layout!r} is unknown; nearest: {", ".join(nearest(layout, LAYOUTS))}'
            )
        if direction not in get_args(Direction):
            raise ConfigError(
                f"direction: expected 'noisy2clean' or 'clean2noisy', got {direction!r}"
            )
        self.layout, self.what = layout, LAYOUTS[layout]
        self.sides = self._open(Path(data_root), direction, check_count, cache)
        keys = next(iter(self.sides.values())).keys
        facts = [facts_of(key, self.what.facts) for key in keys]
        self.chosen = _chosen(facts, dict(only or {}), layout)
        self.facts = [facts[index] for index in self.chosen]
        super().__init__([keys[index] for index in self.chosen], **kwargs)

    def _open(
        self, root: Path, direction: Direction, check_count: bool, cache: PathLike | None
    ) -> dict[str, Images]:
        what = self.what
        try:
            noisy, clean = (open_side(root, side, cache) for side in (what.noisy, what.clean))
            if noisy is not None and clean is not None:
                _check_pairs(noisy, clean, what)
            if check_count:
                _check_count(noisy or clean, what)
        except DataError as error:
            raise DataError(f'{self.layout}: {error}. Expected in {root}: {what.tree}') from error
        if noisy is None or clean is None:
            return {'target': clean} if clean is not None else {'source': noisy}  # type: ignore[dict-item]
        pair = (noisy, clean) if direction == 'noisy2clean' else (clean, noisy)
        return dict(zip(('source', 'target'), pair, strict=True))

    def read(self, index: int, visit: int) -> Results:
        """Return the images, their paths, and what the name tells."""
        place = self.chosen[index]
        images = {name: side[place] for name, side in self.sides.items()}
        paths = {name: str(side.files[place]) for name, side in self.sides.items()}
        check_sizes(self.keys[index], images, paths)
        return {**images, 'paths': paths, **self.facts[index]}

    @property
    def metainfo(self) -> dict[str, Any]:
        """Name, size and layout."""
        return {**super().metainfo, 'layout': self.layout}


def open_side(root: Path, side: Side | None, cache: PathLike | None = None) -> Images | None:
    """Return the images of one side: of its MATLAB file if there is one, else of its folder."""
    if side is None:
        return None
    if side.mat is not None and (root / side.mat).is_file():
        return MatBlocks(root / side.mat, Path(side.mat).stem, cache)
    return Folder(root / side.folder, 3, cache, pattern=side.pattern)


def facts_of(key: str, pattern: str) -> Facts:
    """Return what a key tells: the named groups of ``pattern``, numbers as int.

    Args:
        key: Of an image.
        pattern: Sought anywhere in it; empty: nothing.
    """
    match = re.search(pattern, key) if pattern else None
    found = match.groupdict() if match else {}
    return {name: int(value) if value.isdigit() else value for name, value in found.items()}


def _chosen(facts: Sequence[Facts], only: Mapping[str, Any], layout: str) -> list[int]:
    known = sorted({name for fact in facts for name in fact})
    for name in only:
        if name not in known:
            raise ConfigError(
                f'only: images of {layout} do not tell {name!r}; they tell '
                f'{", ".join(known) or "nothing"}'
            )
    wanted = {
        name: values if isinstance(values, (list, tuple)) else [values]
        for name, values in only.items()
    }
    chosen = [
        index
        for index, fact in enumerate(facts)
        if all(fact.get(name) in values for name, values in wanted.items())
    ]
    if not chosen:
        there = {name: sorted({fact[name] for fact in facts if name in fact}) for name in wanted}
        raise ConfigError(f'only={dict(only)}: no image of {layout} is so; there are {there}')
    return chosen


def _check_pairs(noisy: Images, clean: Images, layout: Layout) -> None:
    if noisy.keys == clean.keys:
        return
    if not layout.pairs_by_order:
        check_partners(noisy, clean)
    if len(noisy) != len(clean):
        raise DataError(
            f'{len(noisy)} noisy images in {noisy.root}, {len(clean)} clean ones in {clean.root}'
        )
    print_log(
        f'{noisy.root} and {clean.root}: names differ; images are pairs by order, the first being '
        f'{noisy.keys[0]} and {clean.keys[0]}',
        'current',
    )


def _check_count(images: Images | None, layout: Layout) -> None:
    found = 0 if images is None else len(images)
    if layout.count not in (None, found):
        raise DataError(
            f'expected {layout.count} images, found {found}; to use a part of the set, set '
            'check_count=False'
        )

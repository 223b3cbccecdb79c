"""What a generator of noise learns from: a clean image, its noisy version, a reference.

``source`` is clean, ``target`` the same with noise, ``reference`` another image with the same noise
(Lee and Kim, ACCV 2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from noiseedit.datasets.base import ImageDataset, Results
from noiseedit.datasets.mixed import Parts, SetSpec, pick, shares_of, uniforms
from noiseedit.datasets.standard import Facts, facts_of
from noiseedit.errors import ConfigError, DataError
from noiseedit.noises import NoiseSpec, build
from noiseedit.noises.random import uniform
from noiseedit.registry import DATASETS
from noiseedit.seeding import derive_seed, generator_for

VISIBLE = 1e-3
"""A pixel has noise where its channels differ by more than this in sum, in [0, 1]."""


class _Triplets(ImageDataset):
    """Base: sets inside, which follow its seed; two items of them make one of this set."""

    parts: Parts

    @property
    def seed(self) -> int:
        """Base seed of the draws, here and in the sets inside."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._seed = seed
        self.parts.set_seed(seed)

    def stream(self, index: int, visit: int) -> torch.Generator:
        """Return the generator of one item's noise."""
        name = type(self).__name__
        return generator_for(derive_seed(self.seed, 'data', self.keys[index], visit, name))


@DATASETS.register_module()
class SyntheticTriplets(_Triplets):
    """Two clean images with one drawn noise, whose parameters both share.

    The clean images are drawn independently: first a set, then one of its images. The noise's
    parameters are drawn once for an item, its values for each image.

    Args:
        datasets: Sets of clean images, or their configs: each gives ``target``, or ``source`` as
            clean image. All pipelines give images of one size.
        noise: Spec of the noise; set ``clip`` for values in [0, 1], as published.
        shares: How often each set is drawn, relative to the others; None: as its length says.
        length: Items of one visit.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        ConfigError: If the shares do not fit.
        DataError: If the sets give no clean image, or images of several sizes.
    """

    def __init__(
        self,
        datasets: Sequence[SetSpec],
        noise: NoiseSpec,
        shares: Sequence[float] | None = None,
        length: int = 800,
        **kwargs: Any,
    ) -> None:
        self.parts = Parts(datasets)
        lengths = [len(part) for part in self.parts.sets]
        self.shares = shares_of(shares or lengths, len(lengths), 'SyntheticTriplets.shares')
        self.noise = build(noise)
        super().__init__([f'synthetic/{number:05d}' for number in range(length)], **kwargs)

    def read(self, index: int, visit: int) -> Results:
        """Return clean image, noisy image and reference, float32, and what they are made of."""
        drawn = [self._clean(index, 2 * visit + place) for place in (0, 1)]
        clean = _stacked([image for image, _ in drawn], self.keys[index])
        stream = self.stream(index, visit)
        params = self.noise.sample_params(1, stream)
        both = {name: value.expand(2, *value.shape[1:]) for name, value in params.items()}
        noisy = self.noise.corrupt(clean, both, stream)
        paths = dict(zip(('source', 'reference'), (path for _, path in drawn), strict=True))
        return {**_arrays(clean[0], *noisy), 'paths': paths, 'noise': repr(self.noise)}

    def _clean(self, index: int, visit: int) -> tuple[Tensor, str]:
        u, v = uniforms(self.seed, 'data', self.keys[index], visit, count=2)
        item = self.parts.item(pick(u, self.shares), v, visit * len(self) + index)
        images, paths = item['inputs'], item['data_samples'].get('paths', {})
        name = next((name for name in ('target', 'source') if name in images), None)
        if name is None:
            raise DataError(
                f'SyntheticTriplets: expected clean images as target or source, got '
                f'{", ".join(images)}'
            )
        return as_float(images[name]), str(paths.get(name, ''))


@DATASETS.register_module()
class RealTriplets(_Triplets):
    """Real pairs, and as reference another photograph that was taken alike.

    The reference is drawn uniformly from the photographs of the same group, the image itself among
    them: another patch of it then.

    Args:
        dataset: A set of pairs, or its config, with clean images as ``source`` and noisy ones as
            ``target``: ``StandardSet(direction='clean2noisy')``, ``PairedFolder``. Its pipeline
            gives patches of one size.
        same: Facts that the photographs of a group have in common: ``('iso',)`` is published;
            ``('camera', 'iso')`` keeps cameras apart. None: every image is a group of its own.
        facts: Regular expression, sought in keys, whose named groups are the facts of an image;
            None: those that the set knows of itself (``StandardSet``).
        attenuate: Probability that the noise of both images is weakened, ``clean + alpha (noisy -
            clean)`` with one alpha.
        alpha: Range that alpha is uniform in.
        dequantise: Add U(-1/2, 1/2) / 255 to noisy pixels that differ from the clean one (by more
            than 1e-3, summed over channels), then clip: undoes the rounding to 8 bits.
        kwargs: See :class:`~noiseedit.datasets.base.ImageDataset`.

    Raises:
        ConfigError: If ``same`` names a fact that is not known of every image, or a number is out
            of range.
        DataError: If the set does not give pairs, or patches differ in size.
    """

    def __init__(
        self,
        dataset: SetSpec,
        same: Sequence[str] | None = ('iso',),
        facts: str | None = None,
        *,
        attenuate: float = 0.5,
        alpha: tuple[float, float] = (0.8, 1.0),
        dequantise: bool = True,
        **kwargs: Any,
    ) -> None:
        if not 0 <= attenuate <= 1 or not 0 <= alpha[0] <= alpha[1]:
            raise ConfigError(
                'RealTriplets: expected attenuate in [0, 1] and alpha as (low, high) >= 0, got '
                f'{attenuate} and {alpha}'
            )
        self.parts = Parts([dataset])
        inner = self.parts.sets[0]
        self.group_of = groups_of(inner, same, facts)
        self.attenuate, self.alpha, self.dequantise = attenuate, alpha, dequantise
        super().__init__(inner.keys, **kwargs)

    def read(self, index: int, visit: int) -> Results:
        """Return clean image, noisy image and reference, float32, and which was taken."""
        u, v, w = uniforms(self.seed, 'data', self.keys[index], visit, count=3)
        group = self.group_of[index]
        other = group[int(u * len(group))]
        low, high = self.alpha
        alpha = low + (high - low) * w if v < self.attenuate else 1.0
        first = 2 * (visit * len(self) + index)  # of two visits that no other item has
        pairs = [self._pair(n, first + place) for place, n in enumerate((index, other))]
        stream = self.stream(index, visit)
        clean, noisy = (_stacked([pair[n] for pair in pairs], self.keys[index]) for n in (0, 1))
        noisy = self._finished(clean, clean + alpha * (noisy - clean), stream)
        (_, _, paths), (_, _, others) = pairs
        paths = {**paths, 'reference': others.get('target', '')}
        images = _arrays(clean[0], *noisy)
        return {**images, 'paths': paths, 'reference_key': self.keys[other], 'alpha': alpha}

    def _pair(self, index: int, visit: int) -> tuple[Tensor, Tensor, Mapping[str, str]]:
        inner = self.parts.sets[0]
        item = inner[visit * len(inner) + index]
        images = item['inputs']
        if not {'source', 'target'} <= set(images):
            raise DataError(
                'RealTriplets: expected pairs, source (clean) and target (noisy), got '
                f'{", ".join(images)}'
            )
        clean, noisy = (as_float(images[name]) for name in ('source', 'target'))
        return clean, noisy, item['data_samples'].get('paths', {})

    def _finished(self, clean: Tensor, noisy: Tensor, stream: torch.Generator) -> Tensor:
        if not self.dequantise:
            return noisy
        return dequantised(clean, noisy, stream)


def dequantised(clean: Tensor, noisy: Tensor, generator: torch.Generator) -> Tensor:
    """Spread the 8-bit steps of noisy pixels, (N, C, H, W) in [0, 1]; those without noise stay."""
    is_noisy = (noisy - clean).abs().sum(1, keepdim=True) > VISIBLE
    offset = (uniform(noisy.shape, generator) - 0.5) / 255
    return torch.where(is_noisy, noisy + offset, noisy).clamp(0, 1)


def groups_of(dataset: Any, same: Sequence[str] | None, pattern: str | None) -> list[list[int]]:
    """Return for every image of a set the indices of those that share its facts, itself included.

    Raises:
        ConfigError: If a fact is not known of an image.
    """
    if same is None:
        return [[index] for index in range(len(dataset))]
    known = getattr(dataset, 'facts', None) if pattern is None else None
    facts: Sequence[Facts] = known or [facts_of(key, pattern or '') for key in dataset.keys]
    members: dict[tuple[str | int, ...], list[int]] = {}
    names = []
    for index, (key, fact) in enumerate(zip(dataset.keys, facts, strict=True)):
        if lacking := [name for name in same if name not in fact]:
            raise ConfigError(
                f'RealTriplets.same: nothing tells {", ".join(lacking)} of {key!r}, only '
                f'{", ".join(fact) or "nothing"}; give facts, a regular expression with named '
                r"groups such as r'iso(?P<iso>\d+)', or same=None (references from the image "
                'itself)'
            )
        names.append(tuple(fact[name] for name in same))
        members.setdefault(names[-1], []).append(index)
    return [members[name] for name in names]


def as_float(image: Tensor) -> Tensor:
    """Return an image as float32 in [0, 1]; 8-bit ones are divided by 255."""
    return image.float() / 255 if image.dtype == torch.uint8 else image.float()


def _stacked(images: Sequence[Tensor], key: str) -> Tensor:
    if len({image.shape for image in images}) > 1:
        raise DataError(
            f'{key!r}: expected two images of one size, got '
            f'{" and ".join(str(tuple(image.shape)) for image in images)} (channels, height, '
            "width); end the pipelines of the sets inside with a crop, dict(type='RandomCrop', "
            'size=96)'
        )
    return torch.stack(list(images))


def _arrays(source: Tensor, target: Tensor, reference: Tensor) -> dict[str, np.ndarray]:
    images = {'source': source, 'target': target, 'reference': reference}
    return {name: image.permute(1, 2, 0).numpy() for name, image in images.items()}

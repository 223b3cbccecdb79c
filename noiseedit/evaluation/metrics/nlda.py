"""Face recognition across modalities by null-space linear discriminant analysis (NLDA).

How well synthesised sketches stand for real ones when faces are recognised: the protocol of the
face sketch papers. Everything happens in the span of the training images, so one matrix of inner
products of all images (exact in float64) replaces images of 50,000 pixels in every repetition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.set_metric import SetMetric, SetValue, joined
from noiseedit.evaluation.profiles import Array, protocol
from noiseedit.imaging import to_grey
from noiseedit.registry import METRICS
from noiseedit.seeding import derive_seed

SPLITS = {'cufs': (150, 188), 'cufsf': (300, 644)}
BLOCK_PIXELS = 4096
EPS = float(np.finfo(np.float64).eps)


@METRICS.register_module()
class NLDA(SetMetric):
    """Rank-1 recognition rate in percent, mean over random splits of the identities.

    Each image is an identity (its key). Per repetition the identities are permuted and split; real
    and synthesised sketches of the first ones train the projection; of the others, real sketches
    (``gt``) are the probes, synthesised ones (``pred``) the gallery, nearest neighbour in Euclidean
    distance. Two values:

    * ``NLDA(best dimension,...)``: per repetition the maximum over the number of dimensions, as
      published. It is chosen on the very identities that are tested, hence optimistic.
    * ``NLDA(all dimensions,...)``: with every dimension, chosen without looking.

    Features are grey pixels of the images as saved (8 bits), not normalised. Repetition ``i``
    permutes the sorted keys by ``numpy.random.default_rng(derive_seed(seed, 'eval', 'NLDA', i))``.

    Args:
        split: ``'cufs'`` (150 identities train, 188 test), ``'cufsf'`` (300, 644), or two numbers.
        repetitions: Random splits.
        seed: Of the splits.

    Raises:
        ConfigError: If the split is unknown or leaves nothing to train or test.
    """

    higher_is_better = True

    def __init__(
        self, split: str | Sequence[int] = 'cufs', repetitions: int = 20, seed: int = 0
    ) -> None:
        super().__init__()
        self.train, self.test = _sizes(split)
        if repetitions < 1:
            raise ConfigError(f'NLDA repetitions: expected at least 1, got {repetitions!r}')
        self.repetitions, self.seed = repetitions, seed
        self._protocol = f'{self.train}/{self.test},{repetitions} splits'
        self.name = f'NLDA(best dimension,{self._protocol})'

    @property
    def value_names(self) -> tuple[str, ...]:
        """Names of the optimistic and of the honest value."""
        return self.name, f'NLDA(all dimensions,{self._protocol})'

    @property
    def vector_kind(self) -> str:
        """Grey pixels."""
        return 'grey,uint8'

    def vectors(self, images: Sequence[Tensor]) -> Array:
        """Return grey pixels, (n, H W) uint8.

        Raises:
            DataError: If the images differ in size.
        """
        grey = [_grey(image).reshape(-1) for image in images]
        sizes = {len(pixels) for pixels in grey}
        if len(sizes) > 1:
            raise DataError(f'NLDA: expected images of one size, got {sorted(sizes)} pixels')
        return np.stack(grey)

    def combine(self, summaries: Sequence[Any]) -> dict[str, SetValue]:
        """Return both rates.

        Raises:
            DataError: If there are more or fewer images than identities in the split.
        """
        synthesised, real = joined(summaries)
        count = self.train + self.test
        if len(real) != count:
            raise DataError(
                f'{self.name}: expected {count} images, got {len(real)}; give '
                'split=(train, test) that adds up to the number of images'
            )
        products = inner_products(np.concatenate([real, synthesised]))
        rates = [self._rates(products, i) for i in range(self.repetitions)]
        columns = ([max(r) for r in rates], [r[-1] for r in rates])
        return {
            name: _value(values, count)
            for name, values in zip(self.value_names, columns, strict=True)
        }

    def _rates(self, products: Array, repetition: int) -> list[float]:
        rng = np.random.default_rng(derive_seed(self.seed, 'eval', 'NLDA', repetition))
        people = rng.permutation(self.train + self.test)
        return recognition_rates(products, people[: self.train], people[self.train :])


def _sizes(split: str | Sequence[int]) -> tuple[int, int]:
    found = SPLITS.get(split) if isinstance(split, str) else tuple(split)
    if found is None or len(found) != 2 or found[0] < 2 or found[1] < 1:
        raise ConfigError(
            f'NLDA split: expected {" or ".join(map(repr, SPLITS))} or (train >= 2, test >= 1), '
            f'got {split!r}'
        )
    return found


def _value(rates: Sequence[float], count: int) -> SetValue:
    percent = np.multiply(rates, 100)
    std = float(percent.std(ddof=1)) if len(rates) > 1 else float('nan')
    return SetValue(float(percent.mean()), count, std, 'splits')


def _grey(image: Tensor) -> Array:
    prepared = protocol(channels='gray' if len(image) == 1 else 'rgb').prepare(image)
    if prepared is None:
        raise DataError('NLDA: expected a finite image')
    return to_grey(prepared)


# The analysis.


class Subspace(NamedTuple):
    """Coordinates of training images along principal directions, and what projects others.

    Attributes:
        train: (2 T, r), real images of T people, then synthesised ones.
        others: (n, r), the other images in the order given.
    """

    train: Array
    others: Array


def inner_products(images: Array) -> Array:
    """Return (n, n) float64 inner products of 8-bit images, (n, pixels); exact."""
    total = np.zeros((len(images), len(images)))
    for start in range(0, images.shape[1], BLOCK_PIXELS):
        block: Array = images[:, start : start + BLOCK_PIXELS].astype(np.float64)
        total += block @ block.T
    return total


def recognition_rates(products: Array, train: Array, test: Array) -> list[float]:
    """Return the rank-1 rate in [0, 1] for 1, 2, ... dimensions.

    Args:
        products: Inner products of n real images, then n synthesised ones, (2 n, 2 n).
        train: Numbers of the people that train the projection.
        test: Numbers of those that are recognised.
    """
    people = len(products) // 2
    learnt = np.concatenate([train, train + people])
    asked = np.concatenate([test, test + people])
    space = principal_subspace(products, learnt, asked)
    projected = space.others @ null_space_projection(space.train)
    probes, gallery = np.split(projected, 2)
    return _rank_one(probes, gallery)


def principal_subspace(products: Array, train: Array, others: Array) -> Subspace:
    """Return principal components of ``train``, at most as many as images, none of no variance.

    The eigenvectors of the centred inner products are those of a singular value decomposition of
    the centred images.
    """
    inner, cross = products[np.ix_(train, train)], products[np.ix_(others, train)]
    mean = inner.mean(0)
    centred = inner - mean - mean[:, None] + mean.mean()
    values, vectors = np.linalg.eigh(centred)
    kept = values > len(train) * EPS * max(values[-1], np.abs(inner).max())
    scale = np.sqrt(values[kept])
    basis = vectors[:, kept]
    rest = cross - cross.mean(1, keepdims=True) - mean + mean.mean()
    return Subspace(basis * scale, rest @ (basis / scale))


def null_space_projection(train: Array) -> Array:
    """Return W (r, dimensions): no scatter within people, most between them first.

    W = N V, with N a basis of the null space of the scatter within people (singular values up to
    the rounding of the largest, or of the whole scatter where that is more) and V the eigenvectors
    of the scatter between people in N, by falling eigenvalue.

    Args:
        train: Coordinates of the real images of T people, then of their synthesised ones, (2 T, r).
    """
    real, synthesised = np.split(train, 2)
    null = _null_space((real - synthesised) / np.sqrt(2), float(np.square(train).sum(0).max()))
    centres = (real + synthesised) / 2
    within_null = (centres - centres.mean(0)) @ null
    _, strengths, directions = np.linalg.svd(within_null, full_matrices=False)
    separating = strengths > len(train) * EPS * strengths[:1]
    return np.asarray(null @ directions[separating].T)


def _null_space(differences: Array, whole: float) -> Array:
    """Return a basis (r, k) of the directions along which no person differs from itself.

    Singular values of the scatter are the squares of those of ``differences``.
    """
    _, strengths, directions = np.linalg.svd(differences, full_matrices=True)
    scatter = np.zeros(len(directions))
    scatter[: len(strengths)] = np.square(strengths)
    tolerance = len(directions) * np.spacing(max(scatter[0], whole))
    return np.asarray(directions[scatter <= tolerance].T)


def _rank_one(probes: Array, gallery: Array) -> list[float]:
    """Return for each number of dimensions the share of probes whose nearest is their own.

    Of several at equal distance the first counts; with no dimension all are.
    """
    own = np.arange(len(probes))
    distances = np.zeros((len(probes), len(gallery)))
    step = np.empty_like(distances)
    rates = []
    for p, g in zip(probes.T, gallery.T, strict=True):
        np.subtract.outer(p, g, out=step)
        distances += np.square(step, out=step)
        rates.append(float((distances.argmin(1) == own).mean()))
    return rates or [1 / len(probes)]

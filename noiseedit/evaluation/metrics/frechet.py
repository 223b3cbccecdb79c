"""The Frechet distance of two Gaussians fitted to vectors, in float64.

``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`` with unbiased covariances. No matrix square root is
taken: its trace is a sum over eigenvalues of a symmetric matrix, or, with fewer vectors than
dimensions, over singular values of a matrix of inner products, which needs no covariance at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from noiseedit.errors import DataError
from noiseedit.evaluation.profiles import Array


class Moments(NamedTuple):
    """Sums of vectors; what two processes found adds up by :func:`merged`.

    Attributes:
        n: Vectors.
        mean: (d,) float64.
        scatter: (d, d) float64, sum of outer products of what is left without the mean.
    """

    n: int
    mean: Array
    scatter: Array

    @property
    def covariance(self) -> Array:
        """Return the unbiased covariance."""
        return self.scatter / (self.n - 1)


def moments(blocks: Iterable[Array]) -> Moments | None:
    """Return the sums over blocks of vectors, (n, d) each; ``None``: there are none."""
    total: Moments | None = None
    for block in blocks:
        if len(block):
            found = _block_moments(block)
            total = found if total is None else merged(total, found)
    return total


def _block_moments(block: Array) -> Moments:
    mean = block.mean(axis=0, dtype=np.float64)
    rest = block - mean
    return Moments(len(block), mean, rest.T @ rest)


def merged(a: Moments, b: Moments) -> Moments:
    """Return the sums over two sets (Chan, Golub, LeVeque 1979)."""
    count = a.n + b.n
    shift = b.mean - a.mean
    between = np.multiply.outer(shift, shift) * (a.n * b.n / count)
    return Moments(count, a.mean + shift * (b.n / count), a.scatter + b.scatter + between)


def frechet_of_moments(a: Moments, b: Moments) -> float:
    """Return the distance from sums: right for any number of vectors, slow for many dimensions.

    Raises:
        DataError: If a set has fewer than two vectors.
    """
    _check(a.n, b.n)
    first, second = a.covariance, b.covariance
    trace = float(np.trace(first) + np.trace(second))
    return _squared(a.mean - b.mean) + trace - 2 * _root_trace(first, second)


def _root_trace(first: Array, second: Array) -> float:
    """Return tr (S1 S2)^(1/2): S1 = F F', eigenvalues of F' S2 F."""
    factor = _factor(first)
    values = np.linalg.eigvalsh(factor.T @ second @ factor)
    return float(np.sqrt(np.maximum(values, 0)).sum())


def _factor(covariance: Array) -> Array:
    """Return F with F F' = S: Cholesky's, or of eigenvectors where S is singular."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def frechet_of_vectors(a: Array, b: Array) -> float:
    """Return the distance of two sets of vectors, (n, d) and (m, d); fast if n and m are below d.

    ``tr (S1 S2)^(1/2)`` is the nuclear norm of ``A B' / sqrt((n - 1) (m - 1))``, A and B without
    their means: exact where covariances are singular.

    Raises:
        DataError: If a set has fewer than two vectors.
    """
    _check(len(a), len(b))
    means = [x.mean(axis=0, dtype=np.float64) for x in (a, b)]
    first, second = (x - mean for x, mean in zip((a, b), means, strict=True))
    n, m = len(a) - 1, len(b) - 1
    trace = _squared(first) / n + _squared(second) / m
    nuclear = float(np.linalg.svd(first @ second.T, compute_uv=False).sum())
    return _squared(means[0] - means[1]) + trace - 2 * nuclear / float(np.sqrt(n * m))


def _squared(values: Array) -> float:
    return float(np.square(values).sum())


def _check(*counts: int) -> None:
    if min(counts) < 2:
        raise DataError(f'Frechet distance: expected at least 2 vectors per set, got {min(counts)}')

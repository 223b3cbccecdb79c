"""The Frechet distance of two Gaussians fitted to vectors, in float64.

``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`` with unbiased covariances. No matrix square root is
taken: its trace is a sum over eigenvalues of a symmetric matrix, or, with fewer vectors than
dimensions, over singular values of a matrix of inner products, which needs no covariance at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch

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
    """Return the sums over blocks of vectors, (n, d) each; ``None``: there are none.

    All sums are taken about the mean of the first block: no digits are lost to a mean that is
    large beside the deviations, and no block costs more than its own products.
    """
    filled = (block for block in blocks if len(block))
    first = next(filled, None)
    if first is None:
        return None
    origin = first.mean(axis=0, dtype=np.float64)
    count, total = 0, np.zeros_like(origin)
    products = np.zeros((len(origin), len(origin)), order='F')
    for block in chain([first], filled):
        rest = block - origin
        count, total = count + len(rest), total + rest.sum(axis=0)
        products = _add_products(products, rest)
    shift = total / count
    products += np.triu(products, 1).T
    between = np.multiply.outer(shift, shift)
    between *= count
    return Moments(count, origin + shift, products - between)


def _add_products(upper: Array, rows: Array) -> Array:
    """Add ``rows' rows`` in place, above the diagonal and on it alone: half the work."""
    from scipy.linalg.blas import dsyrk

    return np.asarray(dsyrk(1.0, rows.T, beta=1.0, c=upper, overwrite_c=True))


def merged(a: Moments, b: Moments) -> Moments:
    """Return the sums over two sets (Chan, Golub, LeVeque 1979)."""
    count = a.n + b.n
    shift = b.mean - a.mean
    between = np.multiply.outer(shift, shift) * (a.n * b.n / count)
    return Moments(count, a.mean + shift * (b.n / count), a.scatter + b.scatter + between)


def frechet_of_moments(a: Moments, b: Moments) -> float:
    """Return the distance from sums: right for any number of vectors.

    Raises:
        DataError: If a set has fewer than two vectors.
    """
    _check(a.n, b.n)
    first, second = a.covariance, b.covariance
    trace = float(np.trace(first) + np.trace(second))
    return _squared(a.mean - b.mean) + trace - 2 * _root_trace(first, second)


def _root_trace(first: Array, second: Array) -> float:
    """Return tr (S1 S2)^(1/2): S1 = F F', eigenvalues of the symmetric F' S2 F."""
    lower, failed = torch.linalg.cholesky_ex(torch.from_numpy(first))
    product = _singular_product(first, second) if failed else _product(lower.numpy(), second)
    values = torch.linalg.eigvalsh(torch.from_numpy(product), UPLO='L')
    return float(values.clamp(min=0).sqrt().sum())


def _product(lower: Array, second: Array) -> Array:
    """Return L' S2 L of a triangular L; only the triangle below is filled in.

    LAPACK does it in place of two full products; what it calls upper lies below here, since it
    counts columns first.
    """
    from scipy.linalg.lapack import dsygst

    return np.asarray(dsygst(second.T, lower.T, itype=2, lower=0)[0]).T


def _singular_product(first: Array, second: Array) -> Array:
    """Return F' S2 F where S1 has no Cholesky factor: F of eigenvectors."""
    values, vectors = np.linalg.eigh(first)
    factor = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray(factor.T @ second @ factor)


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

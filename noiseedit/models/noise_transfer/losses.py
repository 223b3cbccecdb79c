"""Loss terms of NoiseTransfer beside the adversarial one: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from noiseedit.errors import DataError
from noiseedit.losses.pixel import l1

TAPS, SIGMA = 21, 3.5
"""Side and standard deviation, in pixels, of the blur that leaves colours and shades alone."""

TINY = 1e-8


def contrast_logits(query: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Return ``[q K^T, q Q] / T``, (N, M + L) float32, also under autocast.

    Args:
        query: (N, D), of unit length.
        keys: (M, D), those of the whole batch, of unit length.
        queue: (D, L), earlier keys in columns.
        temperature: T.
    """
    with torch.autocast(query.device.type, enabled=False):
        query = query.float()
        return torch.cat([query @ keys.float().T, query @ queue], 1) / temperature


def info_nce(logits: Tensor, first: int = 0) -> Tensor:
    """Return ``-mean_i (l_ii - log(sum_j exp l_ij + 1e-8))`` after subtracting the row's maximum.

    The positive of row i is column ``first + i`` alone; all others are negatives, also where a
    batch or the queue holds the same noise twice.

    Args:
        logits: From :func:`contrast_logits`.
        first: Column of the first row's positive: ranks of several processes have their own rows,
            and the keys of all.
    """
    shifted = logits - logits.amax(1, keepdim=True).detach()
    total = shifted.exp().sum(1) + TINY
    return (total.log() - positives(shifted, first)).mean()


def positives(logits: Tensor, first: int = 0) -> Tensor:
    """Return the logit of every row's positive, (N,)."""
    return logits.diagonal(offset=first)[: len(logits)]


def contrast_accuracy(logits: Tensor, first: int = 0) -> Tensor:
    """Return the share of rows whose positive is the largest, in [0, 1]."""
    own = torch.arange(len(logits), device=logits.device) + first
    return (logits.argmax(1) == own).float().mean()


@lru_cache(maxsize=32)
def blur_matrix(side: int) -> Tensor:
    """Return the matrix (side, side) that blurs along one axis: 21 taps, borders reflected.

    Raises:
        DataError: If the side has less than 11 pixels, which cannot be reflected.
    """
    reach = TAPS // 2
    if side <= reach:
        raise DataError(
            f'NoiseTransfer: the consistency loss needs sides of at least {reach + 1} pixels, got '
            f'{side}; take larger crops'
        )
    steps = torch.arange(TAPS, dtype=torch.float64) - reach
    taps = torch.exp(-(steps**2) / (2 * SIGMA**2))
    places = torch.arange(side)[:, None] + steps.long()
    places = (side - 1) - ((side - 1) - places.abs()).abs()
    matrix = torch.zeros(side, side, dtype=torch.float64)
    matrix.scatter_add_(1, places, (taps / taps.sum()).expand(side, TAPS))
    return matrix.float()


def blur(image: Tensor) -> Tensor:
    """Blur (N, C, H, W) by a Gaussian of 21 x 21 pixels, sigma 3.5, borders reflected; float32."""
    rows, columns = (blur_matrix(side).to(image.device) for side in image.shape[-2:])
    return rows @ image.float() @ columns.T


def consistency(real: Tensor, fake: Tensor) -> Tensor:
    """Return mean |blur(real) - blur(fake)|, by one blur of the difference."""
    with torch.autocast(real.device.type, enabled=False):
        return blur(real.float() - fake.float()).abs().mean()


def matching(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Return the mean over levels of mean |fake - real|; no gradient flows to ``real``."""
    pairs = zip(fake, real, strict=True)
    return torch.stack([l1(f.float(), r.detach().float()) for f, r in pairs]).mean()


def unit_columns(size: int, generator: torch.Generator, rows: int) -> Tensor:
    """Return (rows, size) normal random numbers, every column of unit length."""
    return functional.normalize(torch.randn(rows, size, generator=generator), dim=0)

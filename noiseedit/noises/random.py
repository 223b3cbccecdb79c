"""Draws for noise models: one call works for a batch stream and for one stream per sample.

Every function takes ``generator``: either a ``torch.Generator`` (one stream for the whole batch,
on any device) or :class:`SampleStreams` (one CPU stream per sample, so that the result does not
depend on batch size, device or order). The result lies on the generator's device.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, the increment of SplitMix64
_ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))  # its shifts and factors


class SampleStreams:
    """One reproducible stream per sample of a batch.

    Draw ``k`` of sample ``i`` depends on ``seeds[i]`` and ``k`` alone. One generator is re-seeded
    for each sample and draw (about 1 microsecond), so that no generator state is kept. Torch's CPU
    generator reads 32 bits of a seed: among n streams two agree with probability n^2 / 2^33.

    Args:
        seeds: One non-negative integer per sample, e.g. from :func:`noiseedit.seeding.derive_seed`.
        keys: What the samples are called; only noises that replay a recorded stream need it.
    """

    device = torch.device('cpu')

    def __init__(self, seeds: Sequence[int], keys: Sequence[Hashable] | None = None) -> None:
        self.seeds = list(seeds)
        self.keys = None if keys is None else list(keys)
        self._draws = 0
        self._generator = torch.Generator()

    def __len__(self) -> int:
        return len(self.seeds)

    def fill(self, out: Tensor, draw: Callable[[Tensor, torch.Generator], object]) -> Tensor:
        """Call ``draw(out[i], generator of sample i)`` for every sample; return ``out``."""
        if len(out) != len(self.seeds):
            raise ValueError(f'expected {len(self.seeds)} samples (one per seed), got {len(out)}')
        for row, seed in zip(out, mix_all(self.seeds, self._draws), strict=True):
            draw(row, self._generator.manual_seed(seed))
        self._draws += 1
        return out

    def fork(self) -> SampleStreams:
        """Return new streams for a part of a noise; costs this one a single draw."""
        seeds = [seed >> 1 for seed in mix_all(self.seeds, self._draws)]
        self._draws += 1
        return SampleStreams(seeds, self.keys)

    def select(self, rows: Sequence[int]) -> SampleStreams:
        """Return the streams of some samples, as they start."""
        keys = None if self.keys is None else [self.keys[row] for row in rows]
        return SampleStreams([self.seeds[row] for row in rows], keys)


Generator: TypeAlias = torch.Generator | SampleStreams


def mix(seed: int, draw: int) -> int:
    """Return word ``draw`` of the SplitMix64 stream that ``seed`` starts."""
    z = (seed + (draw + 1) * GOLDEN) & MASK
    for shift, factor in _ROUNDS:
        z = ((z ^ (z >> shift)) * factor) & MASK
    return z ^ (z >> 31)


def mix_all(seeds: Sequence[int], draw: int) -> list[int]:
    """Return :func:`mix` of every seed."""
    z = np.array(seeds, np.uint64)
    z += np.uint64((draw + 1) * GOLDEN & MASK)
    return avalanche(z, np.empty_like(z)).tolist()


def avalanche(z: np.ndarray, scratch: np.ndarray) -> np.ndarray:
    """Apply SplitMix64's output function to every uint64 of ``z``, in place; return ``z``."""
    for shift, factor in _ROUNDS:
        z ^= np.right_shift(z, np.uint64(shift), out=scratch)
        z *= np.uint64(factor)
    z ^= np.right_shift(z, np.uint64(31), out=scratch)
    return z


def _fill(out: Tensor, generator: Generator, draw: Callable[..., object]) -> Tensor:
    if isinstance(generator, SampleStreams):
        return generator.fill(out, draw)
    draw(out, generator)
    return out


def _empty(shape: Sequence[int], generator: Generator) -> Tensor:
    return torch.empty(tuple(shape), dtype=torch.float32, device=generator.device)


def normal(shape: Sequence[int], generator: Generator) -> Tensor:
    """Draw i.i.d. N(0, 1), float32, of ``shape`` (first dimension: samples)."""
    return _fill(_empty(shape, generator), generator, lambda t, g: t.normal_(generator=g))


def uniform(shape: Sequence[int], generator: Generator) -> Tensor:
    """Draw i.i.d. U[0, 1), float32, of ``shape`` (first dimension: samples)."""
    return _fill(_empty(shape, generator), generator, lambda t, g: t.uniform_(generator=g))


def integers(shape: Sequence[int], low: int, high: int, generator: Generator) -> Tensor:
    """Draw i.i.d. integers from {low, ..., high}, both ends included, int64."""
    out = torch.empty(tuple(shape), dtype=torch.int64, device=generator.device)
    return _fill(out, generator, lambda t, g: t.random_(low, high + 1, generator=g))


def poisson(rate: Tensor, generator: Generator) -> Tensor:
    """Draw Poisson counts of the given ``rate`` (N, ...), float32, on the generator's device."""
    rate = rate.detach().to(generator.device, torch.float32).contiguous()
    if isinstance(generator, SampleStreams):
        rows = iter(rate)
        return generator.fill(
            torch.empty_like(rate), lambda t, g: t.copy_(torch.poisson(next(rows), generator=g))
        )
    return torch.poisson(rate, generator=generator)


def fork(generator: Generator) -> Generator:
    """Return a generator for a part of the noise whose number of draws may vary per sample.

    Needed wherever samples of one batch take different paths: what one sample draws there must
    not move what the others draw later.
    """
    return generator.fork() if isinstance(generator, SampleStreams) else generator


def select(generator: Generator, rows: Sequence[int]) -> Generator:
    """Return the generator of the samples ``rows``; ``generator`` comes from :func:`fork`."""
    return generator.select(rows) if isinstance(generator, SampleStreams) else generator


def normal_like(x: Tensor, generator: Generator, *, mono: bool = False) -> Tensor:
    """Draw N(0, 1) of the shape of ``x`` (``mono``: one channel), on the device of ``x``."""
    shape = (len(x), 1, *x.shape[2:]) if mono else x.shape
    return normal(shape, generator).to(x.device)


def uniform_like(x: Tensor, generator: Generator, *, mono: bool = False) -> Tensor:
    """Draw U[0, 1) of the shape of ``x`` (``mono``: one channel), on the device of ``x``."""
    shape = (len(x), 1, *x.shape[2:]) if mono else x.shape
    return uniform(shape, generator).to(x.device)

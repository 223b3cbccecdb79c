"""Randomness as a function: every draw is determined by a seed derived from its place.

Two things draw from torch's global generator, because they offer no other: the initial weights of
networks (the runner seeds it before it builds the model) and ``nn.Dropout`` (``IterSeedHook`` seeds
it before every training iteration). Everything else draws from a generator of one of these streams:

======== ==========================================================================
stream   ids
======== ==========================================================================
``data``  sample key, visit                       (pipeline noise, crops, flips)
``model`` rank, iteration                         (batched training noise, latents, dropout)
``eval``  noise name, sample key, repetition      (no level: all levels share a draw)
``perm``  visit                                   (shuffling)
======== ==========================================================================
"""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

STREAMS = ('data', 'model', 'eval', 'perm')


def derive_seed(base: int, stream: str, *ids: Hashable) -> int:
    """Return a 63-bit seed: the first 8 bytes of BLAKE2b over ``base|stream|id|id...``.

    Args:
        base: The user's seed.
        stream: One of :data:`STREAMS`.
        ids: What the draw belongs to; see the table above. Compared by ``str``.

    Raises:
        ValueError: If ``stream`` is none of :data:`STREAMS`.
    """
    if stream not in STREAMS:
        raise ValueError(f'stream: expected one of {STREAMS}, got {stream!r}')
    text = '|'.join(map(str, (base, stream, *ids)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), 'big') >> 1


def generator_for(seed: int, device: str | torch.device = 'cpu') -> torch.Generator:
    """Return a ``torch.Generator`` on ``device`` seeded with ``seed``."""
    import torch

    return torch.Generator(device=device).manual_seed(seed)

"""Imitations of the noise of one image, scored by AKLD and KS: for benchmarks/noise_transfer_cc15.

Each imitation sees what its use would let it see: the transferred and the fitted ones a noisy
reference alone, the best Gaussian noise and the bounds the image with its truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple

import torch
from torch import Tensor

from noiseedit.evaluation.metrics.akld import akld
from noiseedit.evaluation.metrics.ks import ks
from noiseedit.inference.noise_transfer import TransferNetworks, embed, transfer
from noiseedit.noises import build
from noiseedit.noises.blind import estimate_noise_function, noise_spec
from noiseedit.noises.random import uniform
from noiseedit.seeding import derive_seed, generator_for

FACTORS = [round(0.4 + 0.05 * step, 2) for step in range(25)]
"""Of the true root mean square: the levels that the best Gaussian noise is chosen from."""
NEIGHBOURS = 64
"""Pixels of nearly equal clean value among which real noise is exchanged."""
AKLD, KS = 'AKLD', 'KS'
Scores = dict[str, float]


class Shot(NamedTuple):
    """One noisy image and what is known of it, (3, H, W) float32 in [0, 1] each.

    Attributes:
        clean: Without noise.
        noisy: With real noise.
        other: Another image with the same noise.
        second: Another draw on ``clean``; None: there is none.
    """

    clean: Tensor
    noisy: Tensor
    other: Tensor
    second: Tensor | None


Imitation = Callable[[Shot, torch.Generator], Tensor]
"""(shot, random generator) -> noisy image."""


def score(fake: Tensor, shot: Shot) -> Scores:
    """Return both distances of an imitation, in floats as published."""
    arrays = (image.numpy() for image in (fake, shot.noisy, shot.clean))
    return {AKLD: akld(fake, shot.noisy, shot.clean), KS: ks(*arrays)}


def with_noise(spec: Mapping[str, Any], clean: Tensor, generator: torch.Generator) -> Tensor:
    """Return a clean image with a noise of the registry, clipped to [0, 1]."""
    return build(dict(spec))(clean[None], generator=generator)[0].clamp(0, 1)


def fitted(shot: Shot, generator: torch.Generator, correlated: bool) -> Tensor:
    """Imitate by Poisson-Gaussian noise fitted to the reference alone."""
    found = estimate_noise_function(shot.other[None], correlated=correlated)
    return with_noise(noise_spec(found), shot.clean, generator)


def transferred(
    networks: TransferNetworks, shot: Shot, generator: torch.Generator, paired: bool
) -> Tensor:
    """Imitate by NoiseTransfer, of the image itself (paired) or of another one."""
    condition = embed(networks, (shot.noisy if paired else shot.other)[None])
    return transfer(networks, shot.clean[None], condition, generator)[0].clamp(0, 1)


def exchanged(shot: Shot, generator: torch.Generator) -> Tensor:
    """Exchange the real noise among pixels of one channel that are nearly equally bright.

    Another draw of that noise, but for what neighbouring pixels share.
    """
    noise, clean = (shot.noisy - shot.clean).flatten(1), shot.clean.flatten(1)
    order = clean.argsort(dim=1, stable=True)
    count = order.shape[1] // NEIGHBOURS * NEIGHBOURS
    shuffle = uniform((len(order), count // NEIGHBOURS, NEIGHBOURS), generator).argsort(-1)
    places = order[:, :count].unflatten(1, (-1, NEIGHBOURS))
    moved = noise.scatter(
        1, order[:, :count], noise.gather(1, places.gather(-1, shuffle).flatten(1))
    )
    return (clean + moved).view_as(shot.clean).clamp(0, 1)


def second_draw(shot: Shot, generator: torch.Generator) -> Tensor:
    """Return the other draw."""
    if shot.second is None:
        raise ValueError('this shot has no second draw')
    return shot.second


def best_gaussian(shots: Sequence[Shot], seed: int) -> Scores:
    """Return the least mean distances over all levels, each metric at its own best level."""
    totals = {factor: _mean_of(_gaussian(factor), shots, seed) for factor in FACTORS}
    return {name: min(row[name] for row in totals.values()) for name in (AKLD, KS)}


def _gaussian(factor: float) -> Imitation:
    def imitate(shot: Shot, generator: torch.Generator) -> Tensor:
        rms = float((shot.noisy - shot.clean).square().mean().sqrt())
        spec = {'type': 'GaussianNoise', 'sigma': 255 * rms * factor, 'unit': 255}
        return with_noise(spec, shot.clean, generator)

    return imitate


def compare(
    networks: TransferNetworks, shots: Sequence[Shot], *, correlated: bool, seed: int = 0
) -> dict[str, Scores]:
    """Return imitation -> mean distances over shots.

    Args:
        networks: Of a trained NoiseTransfer.
        shots: Noisy images.
        correlated: Whether neighbouring pixels share the noise, for the fit.
        seed: Of all draws.
    """
    imitations: dict[str, Imitation] = {
        'NoiseTransfer, paired': lambda s, g: transferred(networks, s, g, paired=True),
        'NoiseTransfer, another image as reference': (
            lambda s, g: transferred(networks, s, g, paired=False)
        ),
        'Poisson-Gaussian, fitted to the reference': lambda s, g: fitted(s, g, correlated),
    }
    bound: dict[str, Imitation] = (
        {'real noise exchanged among equally bright pixels': exchanged}
        if shots[0].second is None
        else {'an independent draw (the floor)': second_draw}
    )
    rows = {name: _mean_of(imitate, shots, seed) for name, imitate in imitations.items()}
    rows['Gaussian, the best single level'] = best_gaussian(shots, seed)
    return {**rows, **{name: _mean_of(imitate, shots, seed) for name, imitate in bound.items()}}


def _mean_of(imitate: Imitation, shots: Sequence[Shot], seed: int) -> Scores:
    found = []
    for index, shot in enumerate(shots):
        generator = generator_for(derive_seed(seed, 'eval', 'noise_fakes', index))
        found.append(score(imitate(shot, generator), shot))
    return {name: mean(row[name] for row in found) for name in (AKLD, KS)}

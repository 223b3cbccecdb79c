"""From points of variance over intensity to the line a x + b; what clipping does to the points."""

from __future__ import annotations

import math

import torch
from torch import Tensor

ROUNDS = 30  # of reweighting
ABOVE, BELOW = 0.05, 0.1  # relative distance that counts as far: texture only adds
SPREAD = 6.0
TINY = 1e-12  # variance far below that of rounding to 8 bits


def unclipped(mean: Tensor, variance: Tensor, rounds: int = 100) -> tuple[Tensor, Tensor]:
    """Return mean and variance that a normal variable had before it was clipped to [0, 1].

    Solves ``E[clip(y + s eps)] = mean``, ``Var[clip(y + s eps)] = variance`` by fixed-point steps,
    with phi, Phi of ``-y / s`` and ``(1 - y) / s``.

    Args:
        mean: After clipping, in [0, 1], any shape.
        variance: After clipping, the same shape.
        rounds: Number of steps.

    Returns:
        Both before clipping; NaN variance where more than half of the values were clipped.
    """
    y, s = mean.double(), variance.double().clamp(min=TINY).sqrt()
    target, spread = y.clone(), s.clone()
    for _ in range(rounds):
        clipped_mean, clipped_variance = clipped_moments(y, s)
        y = (y + target - clipped_mean).clamp(-1, 2)
        s = (s * spread / clipped_variance.clamp(min=TINY).sqrt()).clamp(max=4)
    known = (y > 0) & (y < 1) & (mean > 0) & (mean < 1)
    square = torch.where(variance > TINY, s.square(), variance)  # no noise: none before it
    before = torch.where(known, square, math.nan)
    return y.to(mean.dtype), before.to(variance.dtype)


def clipped_moments(y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of ``clip(y + s eps, 0, 1)``, eps ~ N(0, 1), s > 0."""
    low, high = -y / s, (1 - y) / s
    at_low, at_high = (torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi) for z in (low, high))
    inside = torch.special.ndtr(high) - torch.special.ndtr(low)
    white = torch.special.ndtr(-high)
    mean = y * inside + s * (at_low - at_high) + white
    square = (y * y + s * s) * inside + s * (y * at_low - (y + 1) * at_high) + white
    return mean, (square - mean * mean).clamp(min=0)


def fit_line(x: Tensor, v: Tensor, error: Tensor) -> tuple[Tensor, Tensor]:
    """Return a and b, both >= 0, of ``v = a x + b``, (..., K) -> (...) each.

    Iteratively reweighted least squares of ``v / (a x + b) - 1``, Cauchy weights of scale 0.05
    above the line and 0.1 below it: what is no noise adds. Points too close together for a slope,
    within 6 of their own errors, get a = 0.

    Args:
        x: Intensities.
        v: Variances, >= 0; NaN: left out.
        error: Standard deviation of x by the noise alone, (...).
    """
    known = v.isfinite()
    x, v = (torch.where(known, part, 0).double() for part in (x, v))
    sloped = _span(x, known) > SPREAD * error
    weight = known / (v + v.sum(-1, keepdim=True) / known.sum(-1, keepdim=True) + TINY)
    for _ in range(ROUNDS):
        a, b = _weighted_line(x, v, weight.square(), sloped)
        model = (a[..., None] * x + b[..., None]).clamp(min=TINY)
        gap = v / model - 1
        far = torch.where(gap > 0, gap / ABOVE, gap / BELOW)
        weight = known / (model * (1 + far.square()).sqrt())
    return a.float(), b.float()


def _weighted_line(x: Tensor, v: Tensor, w: Tensor, sloped: Tensor) -> tuple[Tensor, Tensor]:
    """Return the non-negative least squares of ``a x + b = v``: inside, or on one of two edges."""
    total, wx, wv = w.sum(-1), (w * x).sum(-1), (w * v).sum(-1)
    wxx, wxv = (w * x * x).sum(-1), (w * x * v).sum(-1)
    steep = (total * wxv - wx * wv) / (total * wxx - wx * wx).clamp(min=1e-300)
    base = (wv - steep * wx) / total
    flat = (steep <= 0) | ~sloped
    through_zero = ~flat & (base < 0)
    a = torch.where(through_zero, wxv / wxx.clamp(min=1e-300), steep)
    b = torch.where(through_zero, 0, base)
    return torch.where(flat, 0, a), torch.where(flat, wv / total, b)


def _span(x: Tensor, known: Tensor) -> Tensor:
    highest = torch.where(known, x, -math.inf).amax(-1)
    return highest - torch.where(known, x, math.inf).amin(-1)

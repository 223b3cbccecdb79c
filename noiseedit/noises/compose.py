"""Noises made of several: one after the other, one per image, one per pixel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.noises.base import WEAKER, AdditiveNoise, BaseNoise, Params
from noiseedit.noises.build import NoiseSpec, build
from noiseedit.noises.random import Generator, fork, select, uniform
from noiseedit.registry import NOISES

_GAUSSIAN = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}


class Composite(BaseNoise):
    """Base of noises made of several; parameters of member i are called ``'i.name'``.

    Args:
        noises: Specs of the members.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``; the default name is
            ``Class(member,member)``: stable and without levels.

    Raises:
        ConfigError: If there are no members.
    """

    def __init__(self, noises: Sequence[NoiseSpec], **kwargs: Any) -> None:
        members = [build(noise) for noise in noises]
        if not members:
            raise ConfigError(f'{type(self).__name__}: expected at least one noise, got none')
        self.gradient = max((member.gradient for member in members), key=WEAKER.index)
        name = f'{type(self).__name__}({",".join(member.name for member in members)})'
        super().__init__(**{'name': name, **kwargs})
        self.noises = nn.ModuleList(members)

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw the parameters of every member."""
        return {
            f'{index}.{name}': value
            for index, noise in enumerate(self.noises)
            for name, value in noise.sample_params(n, generator).items()
        }

    def strength(self) -> list[str]:
        """Return the text of every member."""
        return [repr(noise) for noise in self.noises]


def member_params(params: Params, index: int) -> Params:
    """Return the parameters of member ``index`` of a :class:`Composite`."""
    head = f'{index}.'
    return {name[len(head) :]: value for name, value in params.items() if name.startswith(head)}


@NOISES.register_module()
class Sequential(Composite):
    """Several noises, one after the other: ``y = n_k(... n_2(n_1(x)))``."""

    example: ClassVar[dict[str, Any]] = {
        'noises': [{'type': 'PoissonNoise', 'peak': 30}, _GAUSSIAN],
    }

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Apply the members in order, each with its own clip and quantize."""
        for index, noise in enumerate(self.noises):
            x = noise.corrupt(x, member_params(params, index), generator)
        return x

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return the composed mean (the later members are linear in the mean)."""
        for index, noise in enumerate(self.noises):
            x = noise.mean(x, member_params(params, index))
        return x

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return the sum of variances, where all but the first member ignore the image.

        Raises:
            NotImplementedError: If a later member depends on the image.
        """
        if any(not _ignores_image(noise) for noise in self.noises[1:]):
            return super().variance(x, params)
        parts = [n.variance(x, member_params(params, i)) for i, n in enumerate(self.noises)]
        return sum(parts[1:], start=parts[0])


def _ignores_image(noise: BaseNoise) -> bool:
    return isinstance(noise, AdditiveNoise) and type(noise).apply is AdditiveNoise.apply


class Choice(Composite):
    """Base of noises that pick among their members with given probabilities.

    Args:
        noises: Specs of the members.
        probs: One probability per member, with sum 1; ``None``: equal.
        kwargs: See :class:`Composite`.

    Raises:
        ConfigError: If ``probs`` does not fit.
    """

    example: ClassVar[dict[str, Any]] = {
        'noises': [_GAUSSIAN, {'type': 'UniformNoise', 'amplitude': 80, 'unit': 255}],
        'probs': [0.7, 0.3],
    }
    shown = ('probs',)

    def __init__(
        self, noises: Sequence[NoiseSpec], probs: Sequence[float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(noises, **kwargs)
        count = len(self.noises)
        self.probs = list(probs) if probs is not None else [1 / count] * count
        fits = len(self.probs) == count and all(prob >= 0 for prob in self.probs)
        if not fits or not math.isclose(sum(self.probs), 1, abs_tol=1e-6):
            raise ConfigError(
                f'probs: expected {count} numbers >= 0 (one per noise) with sum 1, got {probs!r}'
            )

    def pick(self, u: Tensor) -> Tensor:
        """Return the member that each u ~ U[0, 1) picks, int64."""
        edges = list(itertools.accumulate(self.probs))[:-1]
        return torch.bucketize(u, torch.tensor(edges, device=u.device), right=True)


@NOISES.register_module()
class OneOf(Choice):
    """One of several noises, drawn once per image with the given probabilities."""

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw the parameters of every member and the ``choice``, (n, 1, 1, 1)."""
        choice = self.pick(uniform((n, 1, 1, 1), generator))
        return {**super().sample_params(n, generator), 'choice': choice}

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Apply to each image the member that was drawn for it."""
        y, part = x.clone(), fork(generator)
        choice = params['choice'].flatten()
        for index, noise in enumerate(self.noises):
            rows = (choice == index).nonzero().flatten()
            if len(rows):
                own = {k: v[rows] for k, v in member_params(params, index).items()}
                noisy = noise.corrupt(x[rows], own, select(part, rows.tolist()))
                y[rows] = noisy.to(y.dtype)
        return y

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return the mean of the drawn member."""
        return self._chosen('mean', x, params)

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return the variance of the drawn member."""
        return self._chosen('variance', x, params)

    def _chosen(self, moment: str, x: Tensor, params: Params) -> Tensor:
        result = torch.zeros_like(x)
        for index, noise in enumerate(self.noises):
            value = getattr(noise, moment)(x, member_params(params, index))
            result = torch.where(params['choice'] == index, value, result)
        return result


@NOISES.register_module()
class Mixture(Choice):
    """Per-pixel mixture: every pixel (all channels together) takes one of several noises."""

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Apply every member and keep at each pixel the picked one."""
        picked = self.pick(uniform((len(x), 1, *x.shape[2:]), generator)).to(x.device)
        y = x
        for index, noise in enumerate(self.noises):
            noisy = noise.corrupt(x, member_params(params, index), generator)
            y = torch.where(picked == index, noisy, y)
        return y

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return the weighted mean."""
        return self._weighted([n.mean(x, member_params(params, i)) for i, n in self._numbered()])

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return the weighted second moments minus the squared mean."""
        squares = [
            n.variance(x, member_params(params, i)) + n.mean(x, member_params(params, i)) ** 2
            for i, n in self._numbered()
        ]
        return self._weighted(squares) - self.mean(x, params) ** 2

    def _numbered(self) -> list[tuple[int, BaseNoise]]:
        return list(enumerate(self.noises))

    def _weighted(self, values: Sequence[Tensor]) -> Tensor:
        parts = [prob * value for prob, value in zip(self.probs, values, strict=True)]
        return sum(parts[1:], start=parts[0])

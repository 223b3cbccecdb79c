"""Noise of class labels: which class is taken for which, as a matrix T[clean, noisy].

Kaneko, Ushiku, Harada: Label-Noise Robust Generative Adversarial Networks. CVPR 2019. Classes that
overlap, as in Kaneko, Ushiku, Harada: Class-Distinct and Class-Mutual Image Generation with GANs
(CP-GAN). BMVC 2019, are a matrix too: one row per original class, one column per coarse one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from noiseedit.errors import ConfigError, UnknownNameError, nearest

TransitionSpec: TypeAlias = Mapping[str, Any] | Sequence[Sequence[float]] | str

# What CIFAR-10 classes are mistaken for: truck -> automobile, bird -> airplane, deer -> horse,
# cat <-> dog.
CIFAR10_MISTAKES = {9: 1, 2: 0, 4: 7, 3: 5, 5: 3}


def transition_matrix(spec: TransitionSpec) -> Tensor:
    """Return T, (clean classes, noisy classes) float64: p(noisy | clean), rows of sum 1.

    Args:
        spec: ``dict(name=..., ...)``, a name alone, or the rows. Names: ``'symmetric'`` (``rate``,
            ``classes=10``), ``'cifar10_asymmetric'`` (``rate``), ``'circular'`` (``rate``,
            ``groups``), ``'cifar10to5'``, ``'cifar7to3'``; see the functions of these names.

    Raises:
        ConfigError: If the rows are no probabilities, or arguments do not fit.
        UnknownNameError: If there is no such name.
    """
    if isinstance(spec, str):
        spec = {'name': spec}
    if isinstance(spec, Mapping):
        matrix = _named(**spec)
    else:
        matrix = torch.tensor([list(row) for row in spec], dtype=torch.float64)
    sums = matrix.sum(1) if matrix.ndim == 2 else matrix.new_zeros(1)
    if bool((matrix < 0).any()) or not torch.allclose(sums, torch.ones_like(sums), atol=1e-6):
        raise ConfigError(
            f'transition: expected rows of probabilities >= 0 with sum 1, got {matrix.tolist()}'
        )
    return matrix


def _named(name: str = '', **arguments: Any) -> Tensor:
    if name not in TRANSITIONS:
        raise UnknownNameError(
            f'transition: {name!r} is not known; nearest: {", ".join(nearest(name, TRANSITIONS))}'
        )
    if not 0 <= arguments.get('rate', 0) <= 1:
        raise ConfigError(f'transition.rate: expected a number in [0, 1], got {arguments["rate"]}')
    try:
        return TRANSITIONS[name](**arguments)
    except TypeError as error:
        raise ConfigError(f'transition {name!r}: {error}') from error


def symmetric(rate: float, classes: int = 10) -> Tensor:
    """Return ``(1 - rate) I + rate / classes``: a uniform class, the true one included."""
    return (1 - rate) * _identity(classes) + rate / classes


def mistaken(rate: float, pairs: Mapping[int, int], classes: int) -> Tensor:
    """Return T where class a becomes ``pairs[a]`` with probability ``rate``."""
    matrix = _identity(classes)
    for clean, noisy in pairs.items():
        matrix[clean, clean] -= rate
        matrix[clean, noisy] += rate
    return matrix


def cifar10_asymmetric(rate: float) -> Tensor:
    """Return T of :data:`CIFAR10_MISTAKES`."""
    return mistaken(rate, CIFAR10_MISTAKES, 10)


def circular(rate: float, groups: Sequence[Sequence[int]]) -> Tensor:
    """Return T where a class becomes the next of its group, the last the first.

    Args:
        rate: Its probability.
        groups: Classes of every group; for CIFAR-100 the five of each superclass.
    """
    pairs = {a: b for group in groups for a, b in zip(group, (*group[1:], group[0]), strict=True)}
    return mistaken(rate, pairs, sum(map(len, groups)))


def cifar10to5() -> Tensor:
    """Return T (10, 5): class t is t // 2 or, with probability 1/2, t // 2 + t mod 2, mod 5."""
    return _overlapping(10, 5)


def cifar7to3() -> Tensor:
    """Return T (7, 3): likewise mod 3, for classes 0 to 6; class 6 is any, equally likely."""
    matrix = _overlapping(7, 3)
    matrix[6] = 1 / 3
    return matrix


def _overlapping(fine: int, coarse: int) -> Tensor:
    matrix = torch.zeros(fine, coarse, dtype=torch.float64)
    for label in range(fine):
        for noisy in (label // 2, label // 2 + label % 2):
            matrix[label, noisy % coarse] += 0.5
    return matrix


def _identity(classes: int) -> Tensor:
    return torch.eye(classes, dtype=torch.float64)


TRANSITIONS: dict[str, Callable[..., Tensor]] = {
    'symmetric': symmetric,
    'cifar10_asymmetric': cifar10_asymmetric,
    'circular': circular,
    'cifar10to5': cifar10to5,
    'cifar7to3': cifar7to3,
}

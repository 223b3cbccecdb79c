"""The rules, each with what it costs and gains, and the table of divergences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from noiseedit.advice.prior import TestInputs
from noiseedit.errors import ConfigError
from noiseedit.theory import (
    clean_variance,
    matched_variance,
    minimax_variance,
    sigma_255,
)
from noiseedit.theory.checks import Array


def rule_entries(inputs: TestInputs, budget: float, value_range: str) -> list[dict[str, Any]]:
    """Return every rule's level with its costs; ``'matched'`` only for noise that is not white.

    Args:
        inputs: What the network meets at test.
        budget: Of the clean rule, nats per dimension.
        value_range: Of all variances.

    Raises:
        ConfigError: If no noise costs the budget.
    """
    lam, top = inputs.eigenvalues, float(inputs.levels[-1])
    levels = {
        'average': inputs.mean_variance,
        'minimax': minimax_variance(lam, top, noise_energy=inputs.noise_energy),
        'clean': _clean_variance(lam, budget),
    }
    if not inputs.white:
        levels['matched'] = matched_variance(lam, inputs.mean_moments)
    texts = _texts(budget, inputs)
    return [
        {'rule': rule, 'text': texts[rule], **_entry(inputs, s, value_range)}
        for rule, s in levels.items()
    ]


def _clean_variance(eigenvalues: Array, budget: float) -> float:
    found = clean_variance(eigenvalues, budget)
    if math.isinf(found):
        raise ConfigError(f'budget: no finite noise costs {budget:g} nats per dimension')
    return found


def _texts(budget: float, inputs: TestInputs) -> dict[str, str]:
    mean = 'the mean test variance: least mean divergence'
    return {
        'average': f'{mean} of white noise, for every spectrum'
        if inputs.white
        else f'{mean} if the noise were white and independent of the image',
        'minimax': 'clean and strongest test inputs equally far: least worst case',
        'clean': f'the most that costs clean inputs {budget:g} nats per dimension',
        'matched': 'least mean divergence with the second moments of this noise as measured',
    }


def _entry(inputs: TestInputs, variance: float, value_range: str) -> dict[str, Any]:
    divergences = inputs.kl(variance)
    return {
        'variance': variance,
        'sigma': math.sqrt(variance),
        'sigma_255': sigma_255(variance, value_range),
        'clean_cost': divergences[0],
        'average_kl': inputs.average_kl(variance),
        'worst_kl': max(divergences),
        'break_even': inputs.break_even(variance),
        'break_even_conservative': variance / 2,
    }


def divergence_table(inputs: TestInputs, chosen: float) -> dict[str, Any]:
    """Return the divergence at every test level after training at 0, half, chosen and double.

    ``moments`` are the second moments of noise that is not white, (test level, eigenvalue).

    Args:
        inputs: What the network meets at test.
        chosen: The recommended variance.
    """
    trains = list(dict.fromkeys([0.0, chosen / 2, chosen, 2 * chosen]))
    return {
        'train_variances': trains,
        'test_variances': [float(level) for level in inputs.levels],
        'kl_per_dimension': [inputs.kl(s) for s in trains],
        'moments': None if inputs.white else inputs.moments.tolist(),
    }


def chosen_variance(rules: Sequence[dict[str, Any]], rule: str) -> float:
    """Return the variance of the rule called ``rule``.

    Raises:
        ConfigError: If there is no such rule for this noise.
    """
    for entry in rules:
        if entry['rule'] == rule:
            return float(entry['variance'])
    known = ', '.join(entry['rule'] for entry in rules)
    raise ConfigError(f'rule {rule!r}: the noise is white as far as measured; there are {known}')

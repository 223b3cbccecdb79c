"""Smooth divergences for the pictures of an advice, between the levels of its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from noiseedit.theory.mismatch import kl_table
from noiseedit.theory.noise_shape import matched_kl, moments_at
from noiseedit.theory.units import convert_variance

Advice = Mapping[str, Any]


def per_dimension(advice: Advice, trains: ArrayLike, tests: ArrayLike) -> np.ndarray:
    """Return the divergence in nats per dimension, shape (train, test).

    Args:
        advice: See :func:`noiseedit.advice.advise`.
        trains: Training variances, in the advice's value range.
        tests: Test variances. Noise that is not white has the second moments of the table's
            levels, and between them those on a straight line.
    """
    eigenvalues = advice['spectrum']['eigenvalues']
    if not has_moments(advice):
        return kl_table(eigenvalues, trains, tests) / len(eigenvalues)
    levels, known = (
        np.asarray(advice['table'][name], float) for name in ('test_variances', 'moments')
    )
    moments = [moments_at(levels, known, test) for test in np.asarray(tests, float)]
    rows = [[matched_kl(eigenvalues, float(s), c) for c in moments] for s in np.asarray(trains)]
    return np.array(rows) / len(eigenvalues)


def has_moments(advice: Advice) -> bool:
    """Whether the advice holds second moments: its noise is not white."""
    return advice['table'].get('moments') is not None


def highest_variance(advice: Advice) -> float:
    """Return where level axes end: all levels of table and rules, and at least 8-bit sigma 1."""
    rules = [rule['variance'] for rule in advice['rules']]
    one = convert_variance(1.0, 'uint8', advice['value_range'])
    return float(max([*advice['table']['test_variances'], *rules, one]))

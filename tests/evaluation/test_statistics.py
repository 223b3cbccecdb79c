"""Intervals, curves, crossings."""

import json
import math

import numpy as np
import pytest

from noiseedit.evaluation.statistics import area, break_even, deviation, mean_interval
from noiseedit.files import plain


def test_interval_has_the_width_of_theory():
    values = np.random.default_rng(0).normal(10, 2, 400)
    mean, low, high = mean_interval(values)
    half = 1.96 * values.std(ddof=1) / 20
    assert mean == pytest.approx(values.mean(), abs=1e-12)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    assert low < mean < high


def test_interval_depends_on_the_seed_alone():
    values = list(range(20))
    state = np.random.get_state()[1].copy()
    assert mean_interval(values, 1) == mean_interval(values, 1) != mean_interval(values, 2)
    assert (np.random.get_state()[1] == state).all()


def test_interval_of_many_images_takes_little_memory(monkeypatch):
    from noiseedit.evaluation import statistics

    values = np.random.default_rng(0).normal(0, 1, 50)
    monkeypatch.setattr(statistics, 'CHUNK_VALUES', 120)
    small = mean_interval(values, resamples=101)
    monkeypatch.setattr(statistics, 'CHUNK_VALUES', 10**6)
    assert small == mean_interval(values, resamples=101)


def test_interval_of_one_image_and_of_nan():
    assert mean_interval([3.0]) == (3.0, 3.0, 3.0)
    assert all(math.isnan(value) for value in mean_interval([1.0, math.nan]))
    with pytest.raises(ValueError, match='at least one value'):
        mean_interval([])


def test_deviation():
    assert deviation([1.0, 2.0, 3.0]) == 1.0
    assert deviation([5.0]) == 0.0


def test_area():
    assert area([0, 1, 3], [2, 2, 2]) == 6
    assert area([3, 0, 1], [0, 0, 1]) == pytest.approx(0.5 + 1.0)


@pytest.mark.parametrize(
    ('a', 'b', 'expected'),
    [
        ([10, 0], [4, 4], 0.6),  # 10 - 10 x = 4
        ([0, 10], [4, 4], 0.4),
        ([5, 5], [5, 6], 0.0),  # they meet where they begin
        ([1, 0], [0, 0], 1.0),
        ([1, 2], [0, 0], None),
    ],
)
def test_break_even_of_lines(a, b, expected):
    found = break_even([0, 1], a, b)
    assert found == (None if expected is None else pytest.approx(expected))


def test_break_even_takes_the_lowest_crossing_in_any_order():
    levels, a, b = [0, 1, 2, 3], [3, 1, 3, 1], [2, 2, 2, 2]
    assert break_even(levels, a, b) == pytest.approx(0.5)
    assert break_even(levels[::-1], a[::-1], b[::-1]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match='2 levels, 1 and 2 values'):
        break_even([0, 1], [1], [1, 2])


def test_plain_is_strict_json():
    value = {'a': [math.nan, math.inf, np.float32(0.5)], 1: (np.int64(3), None, 'x')}
    assert plain(value) == {'a': [None, None, 0.5], '1': [3, None, 'x']}
    json.dumps(plain(value), allow_nan=False)

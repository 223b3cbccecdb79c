"""Precision, recall, density and coverage against their definitions and closed cases."""

import numpy as np
import pytest
from set_samples import sample_set, scored

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics import neighbours
from noiseedit.evaluation.metrics.neighbours import balls, hits
from noiseedit.evaluation.metrics.precision_recall import density_coverage, precision_recall
from noiseedit.registry import METRICS

RANDOM = {'type': 'RandomFeatures', 'channels': 8}
KINDS = ['PrecisionRecall', 'DensityCoverage']


def draws(n, d, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) + shift).astype(np.float32)


def distances(a, b):
    return np.sqrt(((a[:, None].astype(float) - b[None].astype(float)) ** 2).sum(2))


def radii(x, k):
    """The k-th of the others, by sorting whole rows."""
    return np.sort(distances(x, x), axis=1)[:, k]


def by_definition(pred, target, k):
    cross = distances(pred, target)
    in_target = cross <= radii(target, k)
    in_pred = cross <= radii(pred, k)[:, None]
    precision, recall = in_target.any(1).mean(), in_pred.any(0).mean()
    return precision, recall, in_target.sum() / (k * len(pred)), in_target.any(0).mean()


@pytest.mark.parametrize('block', [7, 1024])
@pytest.mark.parametrize(('n', 'm', 'd', 'k'), [(60, 50, 3, 3), (40, 70, 20, 5), (9, 12, 2, 1)])
def test_values_equal_their_definitions(monkeypatch, block, n, m, d, k):
    monkeypatch.setattr(neighbours, 'BLOCK_ROWS', block)
    pred, target = draws(n, d, shift=0.4), draws(m, d, seed=1)
    found = (*precision_recall(pred, target, k), *density_coverage(pred, target, k))
    expected = by_definition(pred, target, k)
    assert found == pytest.approx(expected, abs=1e-12)
    assert min(expected) > 0


@pytest.mark.parametrize('offset', [0.0, 1000.0])
def test_a_set_against_itself(offset):
    """Everything is inside; a ball up to the k-th neighbour holds k + 1 points of its own set."""
    x = draws(200, 16) + np.float32(offset)
    assert precision_recall(x, x, 3) == (1, 1)
    assert density_coverage(x, x, 5) == pytest.approx((6 / 5, 1))


def test_far_sets_have_nothing_in_common():
    a, b = draws(50, 8), draws(50, 8, shift=100.0, seed=1)
    assert precision_recall(a, b) == (0, 0)
    assert density_coverage(a, b) == (0, 0)


def test_one_law_gives_density_and_coverage_near_their_expectation():
    """Density 1; coverage 1 - (m-1)...(m-k) / ((n+m-1)...(n+m-k)), 1 - 2^-5 of equal sizes."""
    a, b = draws(2000, 8), draws(2000, 8, seed=1)
    density, coverage = density_coverage(a, b, 5)
    assert density == pytest.approx(1, abs=0.05)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.02)


def test_a_collapsed_set_is_precise_and_not_varied():
    target = draws(300, 6)
    collapsed = np.repeat(target[:3], 50, axis=0)
    precision, recall = precision_recall(collapsed, target)
    density, coverage = density_coverage(collapsed, target)
    assert precision == 1
    assert recall < 0.05
    assert density > 0.5
    assert coverage < 0.2


def test_precision_of_one_is_recall_of_the_other():
    a, b = draws(80, 5, shift=0.5), draws(60, 5, seed=2)
    assert precision_recall(a, b) == precision_recall(b, a)[::-1]


def test_duplicates_of_many_points_are_on_the_edge_of_their_balls():
    x = np.repeat(draws(4, 5), 10, axis=0)
    counts, is_hit = hits(x[::10] * 1, balls(x, 3))
    assert counts.tolist() == [10] * 4
    assert is_hit.all()


@pytest.mark.parametrize('kind', KINDS)
def test_metric_depends_on_neither_order_nor_batches_and_names_its_protocol(kind):
    samples = sample_set(40)
    metrics = [METRICS.build({'type': kind, 'features': RANDOM}) for _ in range(2)]
    found = scored(metrics[0], samples)
    assert found == pytest.approx(scored(metrics[1], samples[::-1], batch=3))
    first, second = metrics[0].value_names
    assert first.startswith(kind[:7])
    assert kind.endswith(second.split('(')[0])
    k = {'PrecisionRecall': 3, 'DensityCoverage': 5}[kind]
    assert first.endswith(f'(random16,seed=0,k={k},images<=10000)')
    assert metrics[0].values.keys() == set(metrics[0].value_names)


def test_of_large_sets_some_images_are_taken_by_their_keys():
    samples = sample_set(40)
    settings = {'type': 'PrecisionRecall', 'features': RANDOM, 'max_images': 20}
    first, again = METRICS.build(settings), METRICS.build(settings)
    scored(first, samples)
    scored(again, samples[::-1], batch=40)
    assert first.values == again.values
    assert {value.n for value in first.values.values()} == {40}
    assert first.name.endswith('images<=20)')


@pytest.mark.parametrize('kind', KINDS)
def test_what_cannot_be_computed_is_refused(kind):
    with pytest.raises(ConfigError, match=f'{kind}: expected 1 <= k < max_images, got 0, 10000'):
        METRICS.build({'type': kind, 'features': RANDOM, 'k': 0})
    metric = METRICS.build({'type': kind, 'features': RANDOM, 'k': 6})
    with pytest.raises(DataError, match='k=6 nearest neighbours: expected more than 6 points, got'):
        scored(metric, sample_set(6))

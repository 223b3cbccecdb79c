"""NLDA against the steps of its protocol written out over pixels."""

import math

import numpy as np
import pytest
import torch
from set_samples import sample_set, scored

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics import NLDA
from noiseedit.evaluation.metrics.nlda import inner_products, recognition_rates
from noiseedit.registry import METRICS
from noiseedit.seeding import derive_seed


def pixels(people, noise, seed=0, size=400):
    """Return 8-bit real images and synthesised ones, (people, size) each."""
    rng = np.random.default_rng(seed)
    real = rng.integers(0, 256, (people, size)).astype(float)
    synthesised = 0.5 * real + 60 + rng.normal(0, noise, real.shape)
    return tuple(np.clip(np.rint(x), 0, 255).astype(np.uint8) for x in (real, synthesised))


def direct_rates(real, synthesised, train, test):
    """The protocol step by step, over pixels."""
    real, synthesised = real.astype(float), synthesised.astype(float)
    data = np.concatenate([real[train], synthesised[train]])
    mean = data.mean(0)
    components = np.linalg.svd(data - mean, full_matrices=False)[2][: len(data) - 1]
    a, b = ((x[train] - mean) @ components.T for x in (real, synthesised))
    centres = (a + b) / 2
    within = sum(np.outer(x, x) for x in (*(a - centres), *(b - centres)))
    between = 2 * (centres - centres.mean(0)).T @ (centres - centres.mean(0))
    _, strengths, directions = np.linalg.svd(within)
    null = directions[strengths <= len(within) * np.spacing(strengths[0])].T
    values, vectors = np.linalg.eigh(null.T @ between @ null)
    projection = null @ vectors[:, np.argsort(-values)][:, : len(train) - 1]
    probes, gallery = ((x[test] - mean) @ components.T @ projection for x in (real, synthesised))
    rates = []
    for count in range(1, projection.shape[1] + 1):
        gaps = probes[:, None, :count] - gallery[None, :, :count]
        nearest = np.square(gaps).sum(2).argmin(1)
        rates.append((nearest == np.arange(len(test))).mean())
    return rates


@pytest.mark.parametrize('noise', [0, 25, 90])
def test_rates_equal_the_protocol_over_pixels(noise):
    real, synthesised = pixels(35, noise)
    people = np.random.default_rng(1).permutation(35)
    products = inner_products(np.concatenate([real, synthesised]))
    found = recognition_rates(products, people[:20], people[20:])
    expected = direct_rates(real, synthesised, people[:20], people[20:])
    assert len(found) == len(expected) == 19
    assert found == pytest.approx(expected, abs=1e-12)


def test_inner_products_are_exact():
    images = np.random.default_rng(0).integers(0, 256, (5, 9001)).astype(np.uint8)
    whole = images.astype(np.int64)
    assert np.array_equal(inner_products(images), whole @ whole.T)


def test_gallery_equal_to_probes_is_recognised_completely():
    metric = NLDA((20, 15), repetitions=3)
    found = scored(metric, sample_set(35, size=(20, 20), channels=1, noise=0))
    names = metric.value_names
    assert [found[name] for name in names] == [100.0, 100.0]
    assert found[f'{names[0]}/images'] == 35


def test_random_gallery_is_chance_and_the_maximum_a_few_times_that():
    """The published selection over dimensions finds faces in noise."""
    real, _ = pixels(338, 0, size=900)
    _, other = pixels(338, 0, seed=1, size=900)
    products = inner_products(np.concatenate([real, other]))
    rng = np.random.default_rng(0)
    splits = [rng.permutation(338) for _ in range(4)]
    rates = np.array([recognition_rates(products, p[:150], p[150:]) for p in splits])
    assert rates.shape == (4, 149)
    assert rates.mean() == pytest.approx(1 / 188, abs=0.004)
    assert 2 / 188 <= rates.max(1).mean() <= 8 / 188


def test_values_are_means_over_published_splits():
    samples = sample_set(30, size=(16, 16), channels=1, noise=1.5)
    metric = NLDA((18, 12), repetitions=4, seed=5)
    found = scored(metric, samples)
    real, synthesised = (
        np.stack([(s.get(k).clamp(0, 1) * 255).round().byte().flatten() for s in samples])
        for k in ('gt', 'pred')
    )
    rates = []
    for repetition in range(4):
        rng = np.random.default_rng(derive_seed(5, 'eval', 'NLDA', repetition))
        people = rng.permutation(30)
        rates.append(direct_rates(real, synthesised, people[:18], people[18:]))
    best, every = metric.value_names
    assert best == 'NLDA(best dimension,18/12,4 splits)'
    assert found[best] == pytest.approx(100 * np.mean([max(r) for r in rates]))
    assert found[every] == pytest.approx(100 * np.mean([r[-1] for r in rates]))
    assert found[best] > found[every]
    assert metric.values[best].std == pytest.approx(100 * np.std([max(r) for r in rates], ddof=1))
    shuffled = NLDA((18, 12), repetitions=4, seed=5)
    assert scored(shuffled, samples[::-1], batch=4) == found


def test_equal_synthesised_images_are_chance():
    samples = sample_set(20, channels=1)
    for sample in samples:
        sample.pred = samples[0].pred
    found = scored(NLDA((12, 8), repetitions=2), samples)
    assert max(v for name, v in found.items() if '/images' not in name) <= 100 * 2 / 8


def test_colour_becomes_grey_and_grey_colour_stays():
    metric = NLDA((2, 1))
    grey = sample_set(1, channels=1)[0].gt
    assert np.array_equal(metric.vectors([grey]), metric.vectors([grey.expand(3, -1, -1)]))
    red = torch.zeros(3, 2, 2)
    red[0] = 1
    assert metric.vectors([red]).tolist() == [[76] * 4]


@pytest.mark.parametrize(
    ('split', 'name'),
    [
        ('cufs', 'NLDA(best dimension,150/188,20 splits)'),
        ('cufsf', 'NLDA(best dimension,300/644,20 splits)'),
        ([7, 3], 'NLDA(best dimension,7/3,20 splits)'),
    ],
)
def test_names_say_the_split(split, name):
    metric = METRICS.build({'type': 'NLDA', 'split': split})
    assert metric.name == name
    assert metric.higher_is_better


@pytest.mark.parametrize('split', ['cuhk', (1, 5), (5, 0), (1, 2, 3)])
def test_unknown_splits_are_refused(split):
    with pytest.raises(ConfigError, match="expected 'cufs' or 'cufsf' or"):
        NLDA(split)


def test_sets_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r'expected 338 images, got 9; give split='):
        scored(NLDA(), sample_set(9))
    with pytest.raises(DataError, match='expected images of one size'):
        NLDA().process(None, [*sample_set(1), *sample_set(2, size=(9, 9))[1:]])
    metric = NLDA()
    metric.process(None, sample_set(1))
    with pytest.raises(DataError, match='are all images of one size'):
        metric.process(None, sample_set(2, size=(9, 9))[1:])


def test_a_broken_prediction_makes_both_values_nan():
    samples = sample_set(20, channels=1)
    samples[3].pred[0, 0, 0] = math.nan
    metric = NLDA((12, 8), repetitions=2)
    found = scored(metric, samples)
    assert all(math.isnan(found[name]) for name in metric.value_names)

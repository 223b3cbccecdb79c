"""Metrics inside MMEngine's evaluator, outside classes, several processes."""

import math

import pytest
from evaluation_images import image_pair, sample_of
from mmengine.evaluator import Evaluator

from noiseedit.errors import DataError
from noiseedit.evaluation.metrics import PSNR, SSIM, ImageMetric, base, score_all
from noiseedit.evaluation.profiles import Protocol
from noiseedit.evaluation.scoring import ScorePool, prepare_target, score_images
from noiseedit.structures import EditSample


class MeanError(ImageMetric):
    """Mean absolute error."""

    name = 'MeanError'
    higher_is_better = False

    def score(self, sample):
        return float((sample.pred - sample.gt).abs().mean())


def samples(count=5):
    pairs = [image_pair(seed=i, sigma=5 + i)[::-1] for i in range(count)]
    return [sample_of(*pair, key=f'image/{i}') for i, pair in enumerate(pairs)]


def test_evaluator_of_mmengine_gives_means_and_keeps_records():
    evaluator = Evaluator([PSNR(), SSIM('y'), MeanError()])
    batch = samples()
    evaluator.process(batch[:3])
    evaluator.process(batch[3:])
    found = evaluator.evaluate(5)
    assert set(found) == {'PSNR(rgb,uint8,border=0)', 'SSIM(y,uint8,border=0)', 'MeanError'}
    values = [PSNR().score(sample) for sample in batch]
    assert found['PSNR(rgb,uint8,border=0)'] == pytest.approx(math.fsum(values) / 5, abs=1e-12)
    assert evaluator.metrics[0].records == [
        (sample.key, value) for sample, value in zip(batch, values, strict=True)
    ]


def test_second_evaluation_starts_empty():
    metric = MeanError()
    for sample in (samples()[0], samples()[4]):
        metric.process(None, [sample])
        assert metric.evaluate(1) == {'MeanError': metric.score(sample)}


def test_samples_repeated_by_a_sampler_count_once(monkeypatch):
    """Two processes share three images; the sampler gave each two."""
    metric = MeanError()
    batch = samples(3)
    for sample in (batch[0], batch[2]):
        metric.process(None, [sample])
    own = list(metric.results)
    other = [(sample.key, metric.score(sample)) for sample in (batch[1], batch[0])]
    monkeypatch.setattr(base, 'all_gather_object', lambda mine: [own, other])
    expected = math.fsum(metric.score(sample) for sample in batch) / 3
    assert metric.evaluate(3)['MeanError'] == pytest.approx(expected)
    assert len(metric.records) == 3


def test_no_images_is_an_error():
    with pytest.raises(DataError, match='no image was scored; the data set has 4'):
        PSNR().evaluate(4)


def test_shared_keys_are_warned_about(monkeypatch):
    warned = []
    monkeypatch.setattr(base, 'print_log', lambda text, *_: warned.append(text))
    metric = MeanError()
    metric.process(None, [samples()[0], samples()[0]])
    metric.evaluate(2)
    assert warned[0].startswith('1 different images scored, the data set has 2')


def test_nan_is_not_hidden_by_the_mean():
    metric = PSNR()
    metric.process(None, samples(2))
    broken = samples(3)[2]
    broken.pred[:] = math.nan
    metric.process(None, [broken])
    assert math.isnan(metric.evaluate(3)[metric.name])


def test_images_are_converted_once_per_protocol(monkeypatch):
    calls = []
    prepare = Protocol._prepare
    monkeypatch.setattr(
        Protocol, '_prepare', lambda self, *rest: calls.append(str(self)) or prepare(self, *rest)
    )
    metrics = [PSNR(), SSIM(), PSNR('float')]
    sample, targets = samples(1)[0], {}
    first = score_all(metrics, sample, targets)
    assert len(calls) == 4  # two protocols, prediction and target
    assert score_all(metrics, sample, targets) == first
    assert len(calls) == 6  # the predictions alone
    assert first == {metric.name: metric.score(sample) for metric in metrics}


def test_threads_give_the_same_scores_in_order():
    metrics, batch = [PSNR(), SSIM()], samples(9)
    alone = [score_all(metrics, sample) for sample in batch]
    assert score_images(metrics, batch, workers=3) == alone


def test_pool_holds_back_no_more_than_its_backlog():
    received = []
    pool = ScorePool([MeanError()], lambda tag, scores: received.append(tag), 1, backlog=2)
    for number, sample in enumerate(samples(8)):
        pool.submit(number, sample, prepare_target([PSNR()], sample))
        assert number + 1 - len(received) <= 2
    pool.drain()
    pool.close()
    assert received == list(range(8))


def test_an_error_in_a_thread_reaches_the_caller():
    with pytest.raises(DataError, match="sample 'x' has no 'pred'"):
        score_images([PSNR()], [EditSample(metainfo={'key': 'x'})])

"""What generated images are scored by: shipped bases, best checkpoints, no clean images."""

import math

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from set_samples import sample_set
from torch import nn

from noiseedit.config import shipped_root
from noiseedit.engine.hooks.checkpoint import CheckpointHook, file_name_of
from noiseedit.errors import DataError, MissingWeightsError
from noiseedit.registry import METRICS

FOLDER = shipped_root() / '_base_' / 'metrics'
RANDOM = {'type': 'RandomFeatures', 'channels': 4}
KINDS = {
    'NoiseLevel': {},
    'SlicedWasserstein': {'max_images': 20},
    'FID': {'features': RANDOM},
    'KID': {'features': RANDOM, 'subset_size': 5},
    'PrecisionRecall': {'features': RANDOM},
    'DensityCoverage': {'features': RANDOM},
}
OF_SETS = [kind for kind in KINDS if kind != 'NoiseLevel']


def build(kind):
    return METRICS.build({'type': kind, **KINDS[kind]})


def names_of(metric):
    return getattr(metric, 'value_names', (metric.name,))


def evaluate(metrics, samples):
    evaluator = Evaluator(metrics)
    for start in range(0, len(samples), 8):
        evaluator.process(data_samples=samples[start : start + 8], data_batch=None)
    return evaluator.evaluate(len(samples))


def test_all_metrics_of_generated_images_together():
    metrics = [build(kind) for kind in KINDS]
    found = evaluate(metrics, sample_set(16, size=(32, 32)))
    names = [name for metric in metrics for name in names_of(metric)]
    assert len(set(names)) == 1 + 3 + 1 + 1 + 2 + 2
    assert all(math.isfinite(found[name]) for name in names)


class Counting(nn.Module):
    """Pixels, with the number of images that came."""

    label, standard = 'pixels', False

    def __init__(self):
        super().__init__()
        self.seen = 0

    def forward(self, images):
        self.seen += len(images)
        return images.flatten(1)


def test_metrics_of_one_network_run_it_once_and_targets_once_in_all():
    network, samples = Counting(), sample_set(16)
    kinds = ('FID', 'PrecisionRecall', 'DensityCoverage')
    metrics = [METRICS.build({'type': kind, 'features': network}) for kind in kinds]
    first = evaluate(metrics, samples)
    assert network.seen == 32
    assert evaluate(metrics, samples) == first
    assert network.seen == 32 + 16  # predictions alone
    whole = samples[3].gt
    samples[3].set_data({'gt': whole / 2})
    assert evaluate(metrics, samples) != first
    assert network.seen == 48 + 16 + 1
    samples[3].set_data({'gt': whole})
    assert evaluate(metrics, samples) == first


def test_a_batch_changed_in_place_is_another():
    metric = METRICS.build({'type': 'FID', 'features': Counting()})
    images = [sample.gt for sample in sample_set(4)]
    before = metric.vectors(images).copy()
    images[2].mul_(0.5)
    assert not (metric.vectors(images) == before).all()
    assert metric.features.seen == 8
    assert (metric.vectors([x.detach() for x in images]) != before).any()
    assert metric.features.seen == 8


def test_fewer_images_than_before_are_counted_alone():
    samples, metric = sample_set(16), build('FID')
    alone = build('FID')
    evaluate([metric], samples)
    for count in (9, 16):
        expected = pytest.approx(evaluate([alone], samples[:count]), rel=1e-5)
        assert evaluate([metric], samples[:count]) == expected


@pytest.mark.parametrize('kind', KINDS)
def test_every_name_can_choose_the_best_checkpoint(kind):
    metric = build(kind)
    for name in names_of(metric):
        hook = CheckpointHook(save_best=name)
        assert hook.rules == ['greater' if metric.higher_is_better else 'less']
        assert not set(file_name_of(name)) & set(' <>:"/\\|?*()')


@pytest.mark.parametrize(
    ('name', 'rule'),
    [
        ('FID(inception,bilinear299)', 'less'),
        ('KID(inception,bilinear299,subsets=100x100)', 'less'),
    ],
)
def test_names_with_the_weights_of_fid_too(name, rule):
    assert CheckpointHook(save_best=name).rules == [rule]


def test_without_clean_images_the_noise_level_is_known():
    samples = sample_set(4, size=(32, 32))
    for sample in samples:
        del sample.gt
    metrics = [METRICS.build({'type': 'NoiseLevel', 'unit': unit}) for unit in (255, '[-1,1]')]
    found = evaluate(metrics, samples)
    assert found['NoiseLevel(wavelet,unit=255)'] > 0
    assert len(found) == 2


@pytest.mark.parametrize('kind', [*OF_SETS, 'PSNR'])
def test_without_clean_images_the_others_say_what_to_do(kind):
    samples = sample_set(4, size=(32, 32))
    for sample in samples:
        del sample.gt
    metric = build(kind) if kind in KINDS else METRICS.build({'type': kind})
    with pytest.raises(DataError, match=r'without clean images only metrics that need none.*Noise'):
        metric.process(None, samples)


def bases(name):
    return Config.fromfile(str(FOLDER / f'{name}.py'), lazy_import=False)


def test_base_without_weights_builds_and_names_its_best_checkpoint():
    config = bases('gan_no_weights')
    assert config.test_evaluator == config.val_evaluator
    metrics = [METRICS.build(dict(metric)) for metric in config.val_evaluator]
    text = (FOLDER / 'gan_no_weights.py').read_text()
    assert f"save_best='{metrics[1].name}'" in text


def test_base_of_fid_says_which_weights_are_missing(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    config = bases('gan_fid')
    for metric in config.val_evaluator:
        with pytest.raises(MissingWeightsError, match=r'pt_inception-2015-12-05-6726825d\.pth'):
            METRICS.build(dict(metric))
    found = [METRICS.build({**metric, 'features': RANDOM}) for metric in config.val_evaluator]
    assert len({name for metric in found for name in metric.value_names}) == 6
    assert torch.is_grad_enabled()

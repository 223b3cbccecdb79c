"""FSIM against its definition in plain NumPy, against piq, and what must hold of it."""

import importlib
import math
import threading

import cv2
import fsim_reference
import numpy as np
import pytest
import torch
from evaluation_images import image_pair, sample_of

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation import phase_congruency
from noiseedit.evaluation.metrics import FSIM, PSNR, SSIM, fsim, score_all
from noiseedit.evaluation.metrics.fsim import features
from noiseedit.evaluation.phase_congruency import filter_bank
from noiseedit.evaluation.scoring import score_images
from noiseedit.registry import METRICS

SMALL = [(250, 200), (64, 49), (51, 77), (33, 64), (6, 7)]
LARGE = [(383, 384), (384, 391), (641, 648)]  # means of 1, 2 and 3 pixels squared
CASES = [(shape, 1) for shape in SMALL] + [(shape, 3) for shape in SMALL + LARGE]


def batch(image):
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]


@pytest.fixture(scope='module')
def sketch():
    """A drawing on white, and its copy with shifted strokes and grey."""
    clean = np.full((250, 200, 1), 255, np.uint8)
    cv2.ellipse(clean, (100, 120), (55, 75), 0, 0, 360, 60, 2)
    cv2.line(clean, (80, 150), (120, 152), 90, 3)
    return clean, cv2.GaussianBlur(np.roll(clean, 1, 0), (0, 0), 1)[..., None]


@pytest.mark.parametrize(('shape', 'channels'), CASES)
def test_equals_the_definition(shape, channels):
    clean, noisy = image_pair(*shape, channels=channels)
    expected = fsim_reference.fsim(clean.squeeze(), noisy.squeeze())
    for chromatic, value in zip((False, True), expected, strict=True):
        for precision, gap in (('float64', 1e-12), ('float32', 1e-6)):
            found = fsim(batch(noisy), batch(clean), chromatic=chromatic, precision=precision)
            assert found.item() == pytest.approx(value, abs=gap)


def test_equals_the_definition_on_strokes(sketch):
    expected, _ = fsim_reference.fsim(sketch[0][..., 0], sketch[1][..., 0])
    assert 0.5 < expected < 0.99
    for precision, gap in (('float64', 1e-12), ('float32', 1e-6)):
        found = fsim(batch(sketch[1]), batch(sketch[0]), precision=precision)
        assert found.item() == pytest.approx(expected, abs=gap)


def test_colours_of_opposite_sign_equal_the_definition():
    """Products below 0 take the real part of a complex power."""
    clean = np.zeros((40, 40, 3), np.uint8)
    clean[..., 0] = np.arange(160, 200)
    noisy = clean[..., ::-1].copy()
    noisy[::3, :, 1] = 90
    _, expected = fsim_reference.fsim(clean, noisy)
    i1, i2 = (fsim_reference.planes(image)[1] for image in (clean, noisy))
    assert (2 * i1 * i2 + 200 < 0).any()
    found = fsim(batch(noisy), batch(clean), chromatic=True, precision='float64')
    assert found.item() == pytest.approx(expected, abs=1e-12)


def test_golden_values():
    """FSIM and FSIMc that the reference printed once: they hold should the reference change."""
    rows, columns = np.mgrid[:96, :75]
    ramp = np.stack([rows, columns, (rows * columns) // 80], -1).astype(np.uint8) * 2
    other = np.minimum(ramp[..., ::-1] + (rows * 7 + columns * 3)[..., None] % 31, 255)
    pair = batch(other.astype(np.uint8)), batch(ramp)
    found = [fsim(*pair, chromatic=c, precision='float64').item() for c in (False, True)]
    assert found == pytest.approx([0.611493164579, 0.597974696629], abs=1e-9)


@pytest.mark.parametrize('precision', ['float32', 'float64'])
def test_same_images_score_one_and_order_does_not_matter(precision):
    a, b = (batch(image) for image in image_pair(70, 61))
    for chromatic in (False, True):
        options = {'chromatic': chromatic, 'precision': precision}
        assert fsim(a, a, **options).item() == pytest.approx(1, abs=1e-12)
        assert fsim(a, b, **options).item() == pytest.approx(fsim(b, a, **options), abs=1e-12)
        assert fsim(a, b, **options) < 0.99


@pytest.mark.parametrize('precision', ['float32', 'float64'])
def test_grey_equals_grey_repeated(precision):
    clean, noisy = (batch(image) for image in image_pair(70, 61, channels=1))
    grey = fsim(noisy, clean, precision=precision)
    gap = 1e-12 if precision == 'float64' else 1e-6
    for chromatic in (False, True):
        colour = [image.repeat(1, 3, 1, 1) for image in (noisy, clean)]
        found = fsim(*colour, chromatic=chromatic, precision=precision)
        assert found.item() == pytest.approx(grey.item(), abs=gap)


def test_batch_equals_single_images():
    pairs = [image_pair(40, 47, seed=seed) for seed in range(3)]
    preds, targets = (torch.cat([batch(pair[i]) for pair in pairs]) for i in (1, 0))
    alone = [fsim(batch(noisy), batch(clean)) for clean, noisy in pairs]
    assert torch.equal(fsim(preds, targets), torch.cat(alone))


def test_value_range_does_not_matter():
    clean, noisy = (batch(image).double() for image in image_pair(40, 47))
    expected = fsim(noisy, clean, precision='float64')
    scaled = fsim(noisy / 255, clean / 255, peak=1.0, precision='float64')
    assert scaled.item() == pytest.approx(expected.item(), abs=1e-12)


@pytest.mark.parametrize('precision', ['float32', 'float64'])
@pytest.mark.parametrize('level', [0, 137, 255])
def test_flat_images(level, precision):
    flat = torch.full((1, 1, 50, 41), level, dtype=torch.uint8)
    drawn = batch(image_pair(50, 41, channels=1)[0])
    assert features(flat, precision=precision).phase.max() == 0
    assert fsim(flat, flat, precision=precision).item() == 1
    assert 0 < fsim(flat, drawn, precision=precision).item() < 0.7


def test_one_flat_image_in_a_batch_leaves_the_others_alone():
    clean, noisy = (batch(image) for image in image_pair(40, 47))
    flat = torch.full_like(clean, 9)
    found = fsim(torch.cat([flat, noisy]), torch.cat([flat, clean]))
    assert found[0] == 1
    assert found[1] == fsim(noisy, clean)[0]


def test_more_noise_scores_less():
    pairs = [image_pair(80, 80, sigma=sigma) for sigma in (2, 8, 20, 60)]
    found = [fsim(batch(noisy), batch(clean)).item() for clean, noisy in pairs]
    assert found == sorted(found, reverse=True)


def piq_version_of_the_definition(monkeypatch):
    """Change the reference in the four ways in which piq 0.8 differs for grey images."""
    bank = fsim_reference.filters

    def lower_median(values):
        return np.sort(values, axis=None)[(values.size - 1) // 2]

    def pooled(plane):
        factor = max(1, round(min(plane.shape) / 256))
        return torch.nn.functional.avg_pool2d(torch.from_numpy(plane)[None], factor)[0].numpy()

    def axes_exchanged(rows, columns):
        return [[one.T for one in scales] for scales in bank(columns, rows)]

    monkeypatch.setattr(fsim_reference, 'EPSILON', 2.2e-16)
    monkeypatch.setattr(fsim_reference.np, 'median', lower_median)
    monkeypatch.setattr(fsim_reference, 'reduced', pooled)
    monkeypatch.setattr(fsim_reference, 'filters', axes_exchanged)


@pytest.mark.parametrize('shape', [(64, 50), (385, 390), (640, 648)])
def test_piq_differs_by_what_the_documentation_says(shape, monkeypatch):
    piq = pytest.importorskip('piq')
    clean, noisy = image_pair(*shape, channels=1)
    tensors = [batch(image).double() for image in (noisy, clean)]
    theirs = piq.fsim(*tensors, data_range=255, chromatic=False).item()
    gap = 1e-4 if shape == (64, 50) else 0.1
    assert theirs == pytest.approx(fsim(*tensors).item(), abs=gap)
    piq_version_of_the_definition(monkeypatch)
    expected, _ = fsim_reference.fsim(clean[..., 0], noisy[..., 0])
    assert theirs == pytest.approx(expected, abs=1e-12)


# The metric.


@pytest.mark.parametrize(
    ('config', 'name'),
    [
        ({}, 'FSIM(rgb,uint8,border=0)'),
        ({'chromatic': True}, 'FSIMc(rgb,uint8,border=0)'),
        ({'profile': 'sketch'}, 'FSIM(L,uint8,border=0)'),
        ({'profile': 'sketch-smooth'}, 'FSIM(L,uint8,border=0,smooth=bilateral)'),
        ({'saving': 'truncate', 'border': 2}, 'FSIM(rgb,uint8,border=2,saving=truncate)'),
    ],
)
def test_name_says_the_protocol(config, name):
    metric = METRICS.build({'type': 'FSIM', **config})
    assert metric.name == name
    assert metric.higher_is_better


@pytest.mark.parametrize('rounding', ['uint8', 'float'])
def test_metric_equals_the_function(rounding):
    clean, noisy = image_pair(60, 50)
    found = FSIM(rounding=rounding, chromatic=True).score(sample_of(noisy, clean))
    expected = fsim(batch(noisy), batch(clean), chromatic=True).item()
    assert found == pytest.approx(expected, abs=1e-7)


def test_grey_repeated_scores_like_grey(sketch):
    clean, noisy = sketch
    repeated = sample_of(*(np.repeat(image, 3, 2) for image in (noisy, clean)))
    for metric in (FSIM, SSIM, PSNR):
        assert metric('sketch').score(repeated) == metric('gray').score(sample_of(noisy, clean))


def test_target_is_described_once(monkeypatch):
    clean, noisy = image_pair(60, 50)
    metric, targets, calls = FSIM(), {}, []
    describe = FSIM.describe
    monkeypatch.setattr(FSIM, 'describe', lambda *args: calls.append(1) or describe(*args))
    found = [score_all([metric], sample_of(noisy, clean), targets) for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert len(calls) == 4


def test_threads_give_the_same_values():
    filter_bank.cache_clear()
    pairs = [image_pair(40 + seed % 3, 50, seed=seed) for seed in range(12)]
    samples = [sample_of(noisy, clean, key=str(i)) for i, (clean, noisy) in enumerate(pairs)]
    metrics = [FSIM(), FSIM('sketch-smooth')]
    expected = [score_all(metrics, sample) for sample in samples]
    filter_bank.cache_clear()
    assert score_images(metrics, samples, workers=4) == expected
    assert threading.active_count() < 10


def test_prediction_with_nan_scores_nan():
    sample = sample_of(*image_pair())
    sample.pred[0, 3, 3] = math.nan
    assert math.isnan(FSIM().score(sample))


def test_what_cannot_be_compared():
    image = torch.zeros(1, 3, 40, 40)
    with pytest.raises(DataError, match=r'one shape, got \(1, 3, 40, 40\) and \(1, 3, 40, 39\)'):
        fsim(image, image[..., :39])
    with pytest.raises(DataError, match=r'expected \(N, 1 or 3, H, W\), got \(1, 2, 40, 40\)'):
        fsim(image[:, :2], image[:, :2])
    with pytest.raises(DataError, match=r'at least 6x6 pixels, .* got 5x40'):
        fsim(image[:, :, :5], image[:, :, :5])
    with pytest.raises(ConfigError, match="'float64' or 'float32', got 'half'"):
        FSIM(precision='half')


@pytest.mark.parametrize('precision', ['float32', 'float64'])
def test_tensors_give_what_arrays_give(precision, monkeypatch):
    """On other devices than the processor all is done by torch."""
    pairs = [image_pair(51, 64, seed=seed) for seed in range(2)]
    preds, targets = (torch.cat([batch(pair[i]) for pair in pairs]) for i in (1, 0))
    expected = fsim(preds, targets, chromatic=True, precision=precision)
    for module in (phase_congruency, importlib.import_module(fsim.__module__)):
        monkeypatch.setattr(module, 'as_array', lambda tensor: tensor)
    monkeypatch.setattr(phase_congruency, '_chunks', lambda plane: (plane,))
    found = fsim(preds, targets, chromatic=True, precision=precision)
    assert found.tolist() == pytest.approx(
        expected.tolist(), abs=1e-12 if precision == 'float64' else 1e-6
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_gpu_equals_cpu():
    clean, noisy = (batch(image) for image in image_pair(71, 60))
    found = fsim(noisy.cuda(), clean.cuda(), chromatic=True, precision='float64')
    expected = fsim(noisy, clean, chromatic=True, precision='float64')
    assert found.item() == pytest.approx(expected.item(), abs=1e-10)

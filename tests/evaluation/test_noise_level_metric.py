"""The estimated noise of images: of known noise, of pictures, and what is refused."""

import itertools
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from set_samples import sample_set, scored

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics import NoiseLevel
from noiseedit.imaging import decode_image
from noiseedit.structures import EditSample

CIFAR = Path(__file__).resolve().parents[2] / '../shared/data/cifar10/cifar10_test.zip'
METHODS = ['wavelet', 'eigenvalue']


def noisy(sigma, side=32, count=40, clean=None, channels=3):
    """Return samples with Gaussian noise of ``sigma`` grey levels on grey or given pictures."""
    generator = torch.Generator().manual_seed(0)
    grey = torch.full((count, channels, side, side), 0.5)
    clean = grey if clean is None else clean
    images = clean + sigma / 255 * torch.randn(clean.shape, generator=generator)
    samples = [EditSample(metainfo={'key': str(i)}) for i in range(len(images))]
    for sample, image in zip(samples, images, strict=True):
        sample.set_data({'pred': image})
    return samples


def level(samples, **options):
    metric = NoiseLevel(**options)
    return scored(metric, samples)[metric.name]


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize(('side', 'count'), [(32, 60), (128, 4)])
@pytest.mark.parametrize('sigma', [2, 10, 25])
def test_noise_on_grey_is_found(method, side, count, sigma):
    found = level(noisy(sigma, side, count), method=method)
    assert found == pytest.approx(sigma, rel=0.04)


@pytest.mark.parametrize('method', METHODS)
def test_grey_images_and_odd_sizes(method):
    assert level(noisy(10, 33, 60, channels=1), method=method) == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize('method', METHODS)
def test_no_noise_no_level(method):
    assert level(noisy(0, count=2), method=method) == pytest.approx(0, abs=1e-3)


def test_units():
    samples = noisy(25, count=5)
    grey_levels = level(samples)
    assert level(samples, unit='[0,1]') == pytest.approx(grey_levels / 255)
    assert level(samples, unit='[-1,1]') == pytest.approx(grey_levels / 127.5)
    assert NoiseLevel().name == 'NoiseLevel(wavelet,unit=255)'
    assert NoiseLevel('eigenvalue', '[-1,1]', 'gt').name == 'NoiseLevel(eigenvalue,unit=[-1,1],gt)'


@pytest.mark.parametrize('method', METHODS)
def test_more_noise_is_a_higher_level(method):
    steps = torch.linspace(0.2, 0.8, 32).expand(10, 3, 32, 32)
    waves = steps + 0.1 * torch.sin(torch.arange(32.0) * 0.7)[:, None]
    found = [level(noisy(s, clean=waves), method=method) for s in (0, 3, 6, 12, 25, 50)]
    assert all(b > a for a, b in itertools.pairwise(found))


@pytest.mark.skipif(not CIFAR.is_file(), reason='needs the CIFAR-10 images in shared/data')
@pytest.mark.parametrize(
    ('sigma', 'expected', 'tolerance'),
    [(0, 3.7, 0.5), (5, 7.1, 0.5), (10, 11.4, 0.6), (25, 24.8, 1.0)],
)
def test_what_natural_images_of_32_pixels_add(sigma, expected, tolerance):
    """Texture adds in squares to weak noise, and clipping takes from strong noise."""
    with zipfile.ZipFile(CIFAR) as archive:
        names = sorted(n for n in archive.namelist() if n.endswith('.jpg'))[::50]
        images = [decode_image(archive.read(name), name) for name in names]
    clean = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    assert level(noisy(sigma, clean=clean)) == pytest.approx(expected, abs=tolerance)


def test_other_images_of_a_sample():
    samples = sample_set(3, size=(32, 32))
    for sample in samples:
        sample.set_data({'pred': sample.gt, 'gt': torch.full_like(sample.gt, 0.5)})
    assert level(samples, image='gt') == pytest.approx(0, abs=1e-6)
    assert level(samples) > 10


def test_needs_no_target_and_a_broken_image_is_nan():
    samples = noisy(5, count=3)
    assert math.isfinite(level(samples))
    samples[1].pred[0, 0, 0] = math.inf
    assert math.isnan(level(samples))


def test_what_cannot_be_estimated_is_refused():
    with pytest.raises(DataError, match=r"NoiseLevel.*'0': image: 16 x 16 is too small"):
        level(noisy(5, side=16, count=1))
    with pytest.raises(DataError, match=r"sample '0' has no 'gt'; it has pred"):
        level(noisy(5, count=1), image='gt')


@pytest.mark.parametrize('options', [{'method': 'mean'}, {'unit': 1}, {'image': 'fake'}])
def test_unknown_options_are_refused(options):
    with pytest.raises(ConfigError, match=f'NoiseLevel {next(iter(options))}: expected one of'):
        NoiseLevel(**options)

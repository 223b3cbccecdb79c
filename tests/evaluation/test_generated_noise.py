"""AKLD, KS and KLD of generated noise: definitions, floors, bounds, published protocols."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from torch.nn import functional

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics import AKLD, KLD, KS, akld, kld, ks
from noiseedit.evaluation.metrics import as_sample as as_edit_sample
from noiseedit.evaluation.metrics.akld import _akld_on_device
from noiseedit.evaluation.metrics.kld import VARIANTS
from noiseedit.evaluation.metrics.ks import KS_BINS
from noiseedit.evaluation.metrics.noise_histogram import (
    CHUNK,
    count_levels,
    histogram,
    noise_of,
)
from noiseedit.imaging import read_image
from noiseedit.registry import METRICS
from noiseedit.structures import EditSample

CBSD68 = Path(__file__).resolve().parents[2] / '../shared/data/testsets/CBSD68'
MOST, LEAST = 0.5 * (10 - 1 - math.log(10)), 0.5 * (0.1 - 1 + math.log(10))
TABLE = torch.tensor([1, 3.5, 7, 9, 7, 3.5, 1], dtype=torch.float64) / 32


def released_akld(fake, real, clean):
    """The published definition: dense 7x7 depthwise window, float64."""
    kernel = torch.outer(TABLE, TABLE).expand(len(clean), 1, 7, 7)

    def variance(noisy):
        error = (noisy.double() - clean.double()).square()[None]
        padded = functional.pad(error, [3] * 4, mode='reflect')
        return functional.conv2d(padded, kernel, groups=len(clean)).clamp(min=1e-10)

    r = (variance(fake) / variance(real)).clamp(0.1, 10)
    return float(0.5 * (r - 1 - r.log()).mean())


def released_ks(fake, real, clean):
    """The published definition: 256 bins of torch.histc on [-1, 1]."""
    p, q = (torch.histc(noisy - clean, 256, -1, 1) / clean.numel() for noisy in (fake, real))
    return float((p.cumsum(0) - q.cumsum(0)).abs().max())


def flat(sigma, seed, side=256):
    """Return (3, H, W) grey with Gaussian noise of ``sigma`` grey levels, not clipped."""
    generator = torch.Generator().manual_seed(seed)
    return 0.5 + sigma / 255 * torch.randn(3, side, side, generator=generator)


GREY = torch.full((3, 256, 256), 0.5)


def random_images(seed=0, side=40, sigma=30, wide=False):
    """Return fake, real and clean, (3, H, W) uint8; ``wide``: noise that spans all levels."""
    rng = np.random.default_rng(seed)
    clean = rng.integers(0, 256, (3, side, side + 6), dtype=np.uint8)
    if wide:
        return (*rng.integers(0, 256, (2, *clean.shape), dtype=np.uint8), clean)
    noisy = [np.clip(clean + rng.normal(0, s, clean.shape), 0, 255) for s in (sigma, sigma + 3)]
    return (*(image.astype(np.uint8) for image in noisy), clean)


def as_floats(images):
    return [torch.from_numpy(image).float() / 255 for image in images]


def sample(pred, gt, clean, **more):
    data = {'pred': pred, 'gt': gt, 'input': clean, **more}
    return EditSample(metainfo={'key': 'a'}, **data)


# AKLD.


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('wide', [False, True])
def test_akld_equals_the_dense_form(seed, wide):
    images = as_floats(random_images(seed, wide=wide))
    expected = released_akld(*images)
    assert akld(*images) == pytest.approx(expected, abs=1e-7)
    doubles = [image.double() for image in images]
    assert akld(*doubles) == pytest.approx(released_akld(*doubles), abs=1e-12)
    on_device = _akld_on_device(images[0][None], images[1], images[2])
    assert on_device == pytest.approx(expected, abs=1e-6)


def test_akld_of_identical_images_is_zero():
    fake, _, clean = as_floats(random_images())
    assert akld(fake, fake, clean) == 0
    assert akld(clean, clean, clean) == 0


@pytest.mark.parametrize(('ratio', 'value'), [(2.0, 0.15343), (0.5, 0.09657), (1.0, 0.0)])
def test_akld_of_a_constant_ratio_is_the_closed_form(ratio, value):
    clean = torch.zeros(3, 16, 16)
    real = torch.full_like(clean, 0.1)
    fake = torch.full_like(clean, 0.1 * math.sqrt(ratio))
    assert akld(fake, real, clean) == pytest.approx(value, abs=5e-6)


def test_akld_bounds():
    clean, noisy = GREY, flat(25, 0)
    assert akld(clean, noisy, clean) == pytest.approx(LEAST, abs=1e-6)
    assert akld(noisy, clean, clean) == pytest.approx(MOST, abs=1e-6)
    assert (round(LEAST, 5), round(MOST, 5)) == (0.70129, 3.34871)


@pytest.mark.parametrize('sigma', [5, 25, 50])
def test_akld_of_two_draws_of_one_noise_is_the_floor(sigma):
    value = akld(flat(sigma, 1), flat(sigma, 2), GREY)
    assert 0.040 <= value <= 0.046
    assert value == pytest.approx(akld(flat(25, 1), flat(25, 2), GREY), abs=1e-5)  # any scale


@pytest.mark.parametrize(('real', 'fake', 'value'), [(25, 50, 0.966), (50, 25, 0.328)])
def test_akld_and_ks_of_different_flat_noise(real, fake, value):
    images = flat(fake, 3), flat(real, 4), GREY
    assert akld(*images) == pytest.approx(value, abs=0.01)
    assert ks(*(image.numpy() for image in images)) == pytest.approx(0.162, abs=0.003)


def test_akld_is_not_symmetric_and_averages_samples():
    real, clean = flat(25, 0), GREY
    fakes = torch.stack([flat(25, 1), flat(15, 2), flat(50, 3)])
    each = [akld(fake, real, clean) for fake in fakes]
    assert akld(fakes, real, clean) == pytest.approx(np.mean(each), abs=1e-12)
    assert akld(real, fakes[2], clean) < each[2]


def test_akld_of_several_samples_where_the_real_image_has_no_noise():
    fakes = torch.stack([flat(25, 1, 40), flat(1e-4, 2, 40), torch.full((3, 40, 40), 0.5)])
    real, clean = flat(25, 3, 40), torch.full((3, 40, 40), 0.5)
    real[:, :20] = clean[:, :20]
    each = [released_akld(fake, real, clean) for fake in fakes]
    assert akld(fakes, real, clean) == pytest.approx(np.mean(each), abs=1e-7)
    assert akld(fakes[2], real, clean) == pytest.approx(each[2], abs=1e-7)


@pytest.mark.parametrize('which', range(3))
def test_akld_of_images_that_are_not_finite_is_nan(which):
    images = [flat(25, seed, 16) for seed in range(3)]
    images[which][1, 4, 4] = torch.nan
    assert math.isnan(akld(*images))


def test_akld_refuses_other_shapes():
    with pytest.raises(DataError, match='of one size'):
        akld(GREY, GREY[:, 1:], GREY)
    with pytest.raises(DataError, match='at least 4 pixels'):
        akld(GREY[:, :3], GREY[:, :3], GREY[:, :3])


# KS.


@pytest.mark.parametrize('wide', [False, True])
def test_ks_equals_torch_histc_for_integers_and_floats(wide):
    images = random_images(1, side=100, wide=wide)
    tensors = as_floats(images)
    expected = released_ks(*tensors)
    assert ks(*images) == pytest.approx(expected, abs=1e-7)
    assert ks(*(tensor.numpy() for tensor in tensors)) == pytest.approx(expected, abs=1e-7)


def test_levels_are_counted_in_images_of_several_pieces():
    rng = np.random.default_rng(0)
    clean, noisy = rng.integers(0, 256, (2, 2 * CHUNK + 5), dtype=np.uint8)
    noisy[:CHUNK] = clean[:CHUNK] // 2 + 30  # a piece without large noise, then one with
    found = count_levels(noisy, clean)
    levels = noisy.astype(int) - clean + 255
    assert np.array_equal(found, np.bincount(levels, minlength=511))
    floats = [image / np.float32(255) for image in (noisy, clean)]
    assert np.allclose(histogram(*floats, KS_BINS), histogram(noisy, clean, KS_BINS))


def test_ks_refuses_images_that_are_not_finite():
    fake, real, clean = (tensor.numpy() for tensor in as_floats(random_images(1)))
    fake[0, 3, 3] = np.nan
    with pytest.raises(DataError, match='expected finite images'):
        ks(fake, real, clean)


@pytest.mark.parametrize('wide', [False, True])
def test_exact_ks_equals_scipy(wide):
    fake, real, clean = random_images(2, wide=wide)
    levels = [noisy.astype(int) - clean for noisy in (fake, real)]
    expected = ks_2samp(*(values.ravel() for values in levels)).statistic
    assert ks(fake, real, clean, exact=True) == pytest.approx(expected, abs=1e-12)
    smooth = fake / np.float32(255) + np.float32(0.001)
    mixed = ks_2samp(noise_of(smooth, clean).ravel(), noise_of(real, clean).ravel()).statistic
    assert ks(smooth, real, clean, exact=True) == pytest.approx(mixed, abs=1e-12)


def test_ks_is_symmetric_zero_for_equal_and_one_for_disjoint_noise():
    fake, real, clean = random_images(3)
    assert ks(fake, real, clean) == ks(real, fake, clean) > 0
    assert ks(fake, fake, clean) == 0
    grey = np.full_like(clean, 100)
    assert ks(grey + 50, grey - 50, grey) == 1


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_the_extreme_values_are_counted(dtype):
    low, high = np.zeros((1, 4, 4), dtype), np.full((1, 4, 4), 255 if dtype == np.uint8 else 1)
    high = high.astype(dtype)
    shares = histogram(high, low, VARIANTS['naflow'][0])
    assert shares[-1] == 1
    assert shares.sum() == 1
    assert histogram(low, high, VARIANTS['naflow'][0])[0] == 1


@pytest.mark.parametrize('bins', [bins for bins, _ in VARIANTS.values()])
def test_integers_and_floats_fall_into_the_same_bins(bins):
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, (3, 60, 60), dtype=np.uint8)
    for noisy in (rng.integers(0, 256, clean.shape, dtype=np.uint8), clean // 8 + 100):
        floats = [image / np.float32(255) for image in (noisy, clean)]
        edges = (np.arange(bins.count + 1) - bins.zero) / bins.scale
        noise = (noisy.astype(int) - clean) / 255
        exact = histogram(noisy, clean, bins) * noisy.size
        inner = exact[1:-1] if bins.open_ended else exact
        assert np.array_equal(inner.round(), np.histogram(noise, edges)[0])
        assert np.allclose(exact, histogram(*floats, bins) * noisy.size)
        assert not bins.open_ended or exact.sum() == pytest.approx(noisy.size)


# KLD.


@pytest.mark.parametrize('variant', VARIANTS)
def test_kld_is_zero_for_equal_noise_and_grows_with_the_difference(variant):
    bins = VARIANTS[variant][0]
    clean = np.full((3, 128, 128), 120, np.uint8)
    rng = np.random.default_rng(0)

    def noisy(sigma):
        return np.rint(clean + rng.normal(0, sigma, clean.shape)).clip(0, 255).astype(np.uint8)

    real = noisy(8)
    assert kld(real, real, clean, bins) == 0
    values = [kld(noisy(sigma), real, clean, bins) for sigma in (8, 10, 16)]
    assert 0 < values[0] < 0.01 < values[1] < values[2]
    closed_form = math.log(16 / 8) + 8**2 / (2 * 16**2) - 0.5
    assert values[2] == pytest.approx(closed_form, rel=0.1)


def test_kld_counts_bins_that_both_have():
    clean = np.full((1, 4, 4), 100, np.uint8)
    real, fake = clean.copy(), clean.copy()
    real[0, :2] += 10
    fake[0, 0], fake[0, 3] = 110, 200
    expected = 0.5 * math.log(0.5 / 0.5) + 0.5 * math.log(0.5 / 0.25)
    assert kld(fake, real, clean) == pytest.approx(expected)


# As metrics.


def test_names_say_the_protocol():
    assert METRICS.build({'type': 'AKLD'}).name == 'AKLD(samples=1,fake=float)'
    assert AKLD(50, quantize_fake=True).name == 'AKLD(samples=50,fake=uint8)'
    assert METRICS.build({'type': 'KS'}).name == 'KS(bins=256,samples=1,fake=float)'
    assert KS(exact=True).name == 'KS(exact,samples=1,fake=float)'
    assert (
        METRICS.build({'type': 'KLD', 'variant': 'neca'}).name == 'KLD(neca,samples=1,fake=uint8)'
    )
    assert not any(metric.higher_is_better for metric in (AKLD, KS, KLD))


def test_metrics_equal_the_functions_and_clip_what_was_generated():
    fake, real, clean = random_images(4)
    tensors = as_floats((fake, real, clean))
    outside = tensors[0] * 1.4 - 0.2
    found = sample(outside, *tensors[1:])
    clipped = outside.clamp(0, 1)
    assert AKLD().score(found) == akld(clipped, *tensors[1:])
    assert KS().score(found) == pytest.approx(ks(clipped.numpy(), real, clean))
    steps = (clipped * 255).round().to(torch.uint8).numpy()
    assert KS(quantize_fake=True).score(found) == ks(steps, real, clean)
    assert KLD('neca').score(found) == kld(steps, real, clean, VARIANTS['neca'][0])
    assert KS(exact=True).score(sample(*tensors)) == ks(fake, real, clean, exact=True)


@pytest.mark.parametrize('metric', [AKLD, KS, KLD])
def test_several_draws_are_averaged(metric):
    fake, real, clean = as_floats(random_images(5))
    draws = torch.stack([fake, real, clean])
    one = [metric().score(sample(draw, real, clean)) for draw in draws]
    several = sample(fake, real, clean, draws=draws)
    assert metric(num_samples=3).score(several) == pytest.approx(np.mean(one))
    assert metric(num_samples=2).score(as_edit_sample(several.to_dict())) == pytest.approx(
        np.mean(one[:2])
    )
    with pytest.raises(DataError, match=r'draws, \(4 or more'):
        metric(num_samples=4).score(several)


@pytest.mark.parametrize('metric', [AKLD, KS, KLD])
def test_what_metrics_refuse(metric):
    fake, real, clean = as_floats(random_images(6))
    assert math.isnan(metric().score(sample(fake * math.nan, real, clean)))
    with pytest.raises(DataError, match="no 'gt', the real noisy one"):
        metric().score(EditSample(metainfo={'key': 'a'}, pred=fake, input=clean))
    with pytest.raises(DataError, match='images of one shape'):
        metric().score(sample(fake[:, 1:], real, clean))
    with pytest.raises(ConfigError, match='num_samples'):
        metric(num_samples=0)


def test_kld_refuses_other_variants():
    with pytest.raises(ConfigError, match='naflow, neca'):
        KLD('other')


# Anchors: twelve crops of photographs, clipped noise; first the real, then the generated noise.


@pytest.fixture(scope='module')
def photographs():
    if not CBSD68.exists():
        pytest.skip('../shared/data/testsets/CBSD68 is not there')
    images = [read_image(file)[:256, :256] for file in sorted(CBSD68.glob('*.png'))[:12]]
    return [torch.from_numpy(image).permute(2, 0, 1).float() / 255 for image in images]


def gaussian(sigma):
    return lambda x, g: x + sigma / 255 * torch.randn(x.shape, generator=g)


def poisson(x, g):
    return torch.poisson(30 * x, generator=g) / 30


def both(x, g):
    return gaussian(25)(poisson(x, g), g)


def rounded(x, g):
    return (gaussian(25)(x, g).clamp(0, 1) * 255).round() / 255


def none(x, _):
    return x


ANCHORS = {
    'G25/G25': (gaussian(25), gaussian(25), 0.0483, 0.0026),
    'P30/P30': (poisson, poisson, 0.0501, 0.0022),
    'PG/PG': (both, both, 0.0480, 0.0025),
    'rounded/G25': (rounded, gaussian(25), 0.0483, 0.0094),
    'G25/G15': (gaussian(25), gaussian(15), 0.197, 0.120),
    'G15/G25': (gaussian(15), gaussian(25), 0.475, 0.120),
    'G25/clean': (gaussian(25), none, 0.7013, 0.50),
    'clean/G25': (none, gaussian(25), 3.3487, 0.50),
}


@pytest.mark.parametrize('name', ANCHORS)
def test_values_on_photographs(photographs, name):
    real, fake, divergence, distance = ANCHORS[name]
    generator = torch.Generator().manual_seed(0)
    samples = [sample(fake(x, generator), real(x, generator).clamp(0, 1), x) for x in photographs]
    values = [np.mean([metric.score(s) for s in samples]) for metric in (AKLD(), KS())]
    assert values[0] == pytest.approx(divergence, rel=0.06)
    assert values[1] == pytest.approx(distance, rel=0.06, abs=0.0015)

"""Integer paths: the exact laws, the same distribution as the float path, and their promises."""

import math
import random
import statistics
import zlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from scipy import stats

from noiseedit.noises import BaseNoise, BrownNoise, GaussianNoise, Patch, build, tables, uint8

PATHS = {
    'gaussian': {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255},
    'gaussian range': {'type': 'GaussianNoise', 'sigma': (5, 50), 'unit': 255},
    'mono': {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255, 'mono': True},
    'uniform': {'type': 'UniformNoise', 'amplitude': 30, 'unit': 255},
    'laplace': {'type': 'LaplaceNoise', 'sigma': 15, 'unit': 255},
    'salt and pepper': {'type': 'SaltPepperNoise', 'amount': 0.1},
    'much salt and pepper': {'type': 'SaltPepperNoise', 'amount': 0.6},
    'salt and pepper per channel': {'type': 'SaltPepperNoise', 'amount': 0.1, 'per_channel': True},
    'poisson': {'type': 'PoissonNoise', 'peak': 29.5},
    'poisson exact': {'type': 'PoissonNoise', 'peak': (29.49, 29.51)},
    'poisson bright': {'type': 'PoissonNoise', 'peak': 997},
    'speckle': {'type': 'MultiplicativeNoise', 'sigma': 40, 'unit': 255},
    'brown': {'type': 'BrownNoise', 'sigma': 25, 'unit': 255},
    'brown full': {'type': 'BrownNoise', 'sigma': 25, 'unit': 255, 'border': 'full'},
    'patch': {'type': 'PatchGaussianNoise', 'sigma': 25, 'unit': 255, 'size': (5, 9)},
    'severity': {'type': 'Severity', 'noise': 'nrgan/A', 'levels': [10, 25], 'severity': 2},
}
LAWS = [(law, sigma) for law in ('normal', 'uniform', 'laplace') for sigma in (0.3, 1, 5, 25, 60)]


@pytest.fixture(params=PATHS)
def noise(request) -> BaseNoise:
    return build(PATHS[request.param])


def grey(value: int, shape=(64, 64, 3)) -> np.ndarray:
    return np.full(shape, value, np.uint8)


def ramp() -> np.ndarray:
    """Return (32, 32, 3) with every value from 0 to 255."""
    return (np.arange(32 * 32 * 3) % 256).astype(np.uint8).reshape(32, 32, 3)


def table_law(table: tables.Table, values: np.ndarray) -> np.ndarray:
    """Return the probabilities (rows, values) that a table stands for."""
    rows = len(table.rest) // tables.REST_SLOTS
    slots = table.slots.reshape(rows, -1)
    rest_share = 1 - table.start / slots.shape[1]

    def counts(row):
        return np.bincount(row.astype(int) - int(values[0]), minlength=len(values))

    main = np.stack([counts(row[: table.start]) for row in slots]) / slots.shape[1]
    rest = np.stack([counts(row) for row in table.rest.reshape(rows, -1)]) / tables.REST_SLOTS
    return main + rest_share * rest


def scipy_law(law: str, sigma: float):
    if law == 'normal':
        return stats.norm(0, sigma)
    if law == 'uniform':
        return stats.uniform(-math.sqrt(3) * sigma, 2 * math.sqrt(3) * sigma)
    return stats.laplace(0, sigma / math.sqrt(2))


@pytest.mark.parametrize(('law', 'sigma'), LAWS)
def test_additive_tables_hold_the_law_of_rounded_noise(law, sigma):
    values = np.arange(-255, 256)
    table = uint8._additive_table(law, sigma)
    edges = scipy_law(law, sigma).cdf(np.arange(-254.5, 255))
    expected = np.diff([0, *edges, 1])
    assert 1 - table.start / 65536 < 0.01
    np.testing.assert_allclose(table_law(table, values)[0], expected, atol=5e-6, rtol=0)


@pytest.mark.parametrize('sigma', [5, 10, 25, 30])
def test_gaussian_has_no_bias_and_the_variance_of_exact_rounding(sigma):
    values = np.arange(-255, 256)
    law = table_law(uint8._additive_table('normal', sigma), values)[0]
    assert law @ values == pytest.approx(0, abs=1e-9)
    assert math.sqrt(law @ values**2) == pytest.approx(math.sqrt(sigma**2 + 1 / 12), rel=1e-5)
    error = np.concatenate([uint8.additive(grey(128), sigma, seed) for seed in range(40)]) - 128.0
    assert error.mean() == pytest.approx(0, abs=4 * sigma / math.sqrt(error.size))
    assert error.std() == pytest.approx(sigma, rel=4 / math.sqrt(2 * error.size) + 1e-3)


@pytest.mark.parametrize('peak', [0.5, 1, 30, 255, 700])
def test_poisson_tables_hold_the_law_of_rounded_counts(peak):
    table = uint8._poisson_table(peak)
    counts = np.arange(int(3 * peak + 200))
    grey_level = np.minimum(np.rint(counts * 255 / peak), 255).astype(int)  # NumPy: half to even
    law = table_law(table, np.arange(256))
    for value in (0, 1, 5, 100, 254, 255):
        pmf = stats.poisson.pmf(counts, peak * value / 255)
        expected = np.bincount(grey_level, weights=pmf, minlength=256)
        np.testing.assert_allclose(law[value], expected, atol=5e-6, rtol=0)


def samples(draw, start: int, count: int = 150) -> np.ndarray:
    """Draw (count, 36, 12, 3): twelve rows each of a dark, a middle and a bright grey."""
    image = np.repeat(np.array([3, 128, 250], np.uint8), 12)[:, None, None]
    image = np.ascontiguousarray(np.broadcast_to(image, (36, 12, 3)))
    return np.stack([draw(image, seed) for seed in range(start, start + count)])


def same_law(a: np.ndarray, b: np.ndarray) -> float:
    """Return the p-value of a chi-square test of two samples of independent grey levels."""
    edges = np.unique(np.quantile(np.concatenate([a, b]), np.linspace(0, 1, 30)))
    counts = np.stack([np.histogram(v, [*edges, 1e9])[0] for v in (a, b)])
    counts = counts[:, counts.sum(0) > 10]
    return stats.chi2_contingency(counts).pvalue if counts.shape[1] > 1 else 1.0


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_integer_and_float_path_have_the_same_distribution(noise):
    alone = isinstance(noise, BrownNoise | Patch) or not noise.level.is_fixed
    pixels = (slice(5, 6), 5, 0) if alone else (slice(0, 12), slice(None), 0)
    paths = samples(noise.apply_uint8, 0), samples(noise._general_uint8, 1000)
    for first in (0, 12, 24):
        fast, slow = (path[:, first : first + 12][(slice(None), *pixels)] for path in paths)
        assert same_law(fast.ravel(), slow.ravel()) > 1e-3
    middle = [path[:, 12:24].astype(float) for path in paths]
    for moment in (
        lambda v: correlation(v[..., 0], v[..., 1]),
        lambda v: correlation(v[:, :-1], v[:, 1:]),
        lambda v: correlation(v[:, :, :-1], v[:, :, 1:]),
        lambda v: v.std() / middle[0].std(),
    ):
        assert moment(middle[0]) == pytest.approx(moment(middle[1]), abs=0.06)


def test_the_seed_alone_decides(noise):
    image = ramp()
    first = noise.apply_uint8(image, 2**62 + 1)
    noise.apply_uint8(grey(7, (5, 9, 1)) if 'Patch' not in noise.name else image, 3)
    assert np.array_equal(noise.apply_uint8(image, 2**62 + 1), first)
    assert not np.array_equal(noise.apply_uint8(image, 2**62 + 2), first)


def test_no_thread_count_matters(noise):
    image, results = ramp(), []
    threads = torch.get_num_threads(), cv2.getNumThreads()
    for count in (1, 4):
        torch.set_num_threads(count)
        cv2.setNumThreads(count)
        results.append(noise.apply_uint8(image, 5))
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])
    assert np.array_equal(*results)


def test_no_global_generator_is_touched(noise):
    before = random.getstate(), str(np.random.get_state()), torch.get_rng_state()
    cv2.setRNGSeed(1)
    opencv = cv2.randu(np.empty((1, 4), np.float32), 0, 1)
    cv2.setRNGSeed(1)
    noise.apply_uint8(ramp(), 5)
    assert np.array_equal(cv2.randu(np.empty((1, 4), np.float32), 0, 1), opencv)
    assert random.getstate() == before[0]
    assert str(np.random.get_state()) == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_input_stays_and_may_be_read_only_or_a_view(noise):
    image = ramp()
    expected = noise.apply_uint8(image, 5)
    image.flags.writeable = False
    assert np.array_equal(noise.apply_uint8(image, 5), expected)
    assert np.array_equal(image, ramp())
    view = np.ascontiguousarray(image[:, ::-1])[:, ::-1]
    assert np.array_equal(noise.apply_uint8(view, 5), expected)


@pytest.mark.parametrize('shape', [(13, 9, 1), (9, 13, 3), (11, 10, 4)])
def test_any_size_and_number_of_channels(noise, shape):
    noisy = noise.apply_uint8(grey(100, shape), 1)
    assert noisy.shape == shape
    assert noisy.dtype == np.uint8
    assert noisy.flags.c_contiguous


@pytest.mark.parametrize('draw', [
    lambda image: uint8.additive(image, 25, 1),
    lambda image: uint8.poisson(image, 30, 1),
    lambda image: uint8.salt_pepper(image, 0.5, 1),
    lambda image: uint8.speckle(image, 25, 1),
    lambda image: uint8.filtered(image, 25, 1, taps=(0.5, 0.7, 0.5)),
])  # fmt: skip
def test_one_pixel_is_an_image(draw):
    assert draw(grey(9, (1, 1, 1))).shape == (1, 1, 1)


def test_saturation_never_wraps():
    dark, bright = uint8.additive(grey(2), 60, 1), uint8.additive(grey(253), 60, 1)
    assert (dark == 0).mean() == pytest.approx(stats.norm.cdf(-1.5 / 60), abs=0.02)
    assert (bright == 255).mean() == pytest.approx(stats.norm.sf(1.5 / 60), abs=0.02)
    assert np.isin(uint8.additive(grey(128), 1e6, 1), [0, 255]).mean() > 0.999


def test_level_zero_is_the_identity():
    image = ramp()
    assert np.array_equal(uint8.additive(image, 0, 1), image)
    assert np.array_equal(uint8.speckle(image, 0, 1), image)
    assert np.array_equal(uint8.salt_pepper(image, 0, 1), image)
    assert not np.shares_memory(uint8.additive(image, 0, 1), image)


@pytest.mark.parametrize('amount', [0.01, 0.19, 0.21, 0.7, 1.0])
@pytest.mark.parametrize('per_channel', [False, True])
def test_salt_and_pepper_hits_independently(amount, per_channel):
    images = np.stack([
        uint8.salt_pepper(grey(128, (50, 50, 3)), amount, seed, per_channel=per_channel)
        for seed in range(60)
    ])  # fmt: skip
    hit = images != 128
    if not per_channel:
        assert (hit == hit[..., :1]).all()
    trials = hit if per_channel else hit[..., 0]
    per_image = trials.reshape(60, -1).sum(1)
    spread = math.sqrt(trials[0].size * amount * (1 - amount))
    assert trials.mean() == pytest.approx(amount, abs=4 * math.sqrt(0.25 / trials.size))
    assert per_image.std() == pytest.approx(spread, rel=0.4)  # binomial, not a fixed count
    salt = (images[..., 0] == 255).mean()
    assert salt == pytest.approx(amount / 2, abs=4 * math.sqrt(0.25 / images[..., 0].size))


def test_neighbouring_seeds_are_unrelated():
    fields = np.stack([uint8.normal_field((64,), seed) for seed in range(2000)])
    assert abs(np.corrcoef(fields[:-1].ravel(), fields[1:].ravel())[0, 1]) < 0.012
    assert abs(np.corrcoef(fields[:-1, 0], fields[1:, 0])[0, 1]) < 0.09
    assert abs(fields[:, 0].mean()) < 0.09
    assert stats.kstest(fields.ravel(), 'norm').pvalue > 1e-3


def test_random_words_are_splitmix64():
    def step(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    golden = 0x9E3779B97F4A7C15
    start = step((42 + golden) % 2**64)
    words = tables.random_words(tables.BLOCK + 3, 42).tolist()
    for at in (0, 1, tables.BLOCK - 1, tables.BLOCK, tables.BLOCK + 2):
        assert words[at] == step((start + (at + 1) * golden) % 2**64)
    assert words[:2] != tables.random_words(2, 42, stream=1).tolist()


def test_the_integer_streams_never_change():
    image = ramp()
    results = [
        uint8.additive(image, 25, 42),
        uint8.additive(image, 15, 42, law='laplace', mono=True),
        uint8.poisson(image, 30, 42),
        uint8.salt_pepper(image, 0.1, 42),
        uint8.salt_pepper(image, 0.4, 42),
    ]
    assert [zlib.crc32(result.tobytes()) for result in results] == GOLDEN


GOLDEN = [326059526, 982023329, 955546944, 717705090, 3392691383]


def test_both_ways_to_look_up_agree(monkeypatch):
    table = uint8._additive_table('normal', 25.0).slots
    index = tables.random_bits(1001, 3)
    results = []
    for capable in (True, False):
        monkeypatch.setattr(tables, '_opencv_reads_16_bit', lambda capable=capable: capable)
        results.append(tables.look_up(table, index))
    assert np.array_equal(*results)
    assert np.array_equal(results[0], table[index])


def test_tables_are_shared_safely_between_threads():
    uint8._additive_table.cache_clear()
    uint8._poisson_table.cache_clear()
    image = ramp()

    def draw(seed):
        return uint8.additive(image, 20 + seed % 3, seed), uint8.poisson(image, 9 + seed % 2, seed)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(draw, range(24)))
    for seed, pair in enumerate(together):
        for result, expected in zip(pair, draw(seed), strict=True):
            assert np.array_equal(result, expected)
    assert not uint8._additive_table('normal', 20.0).slots.flags.writeable


def test_caches_are_bounded():
    for cached in (uint8._additive_table, uint8._poisson_table):
        assert 0 < cached.cache_info().maxsize <= 32


def test_a_subclass_with_another_field_takes_the_general_path():
    class Constant(GaussianNoise):
        def field(self, x, generator):
            return torch.ones_like(x)

    noisy = Constant(10, unit=255).apply_uint8(grey(100), 1)
    assert (noisy == 110).all()


def test_patches_leave_the_rest_alone():
    noise = build({'type': 'PatchGaussianNoise', 'sigma': 25, 'unit': 255, 'size': (4, 12)})
    changed = np.stack([noise.apply_uint8(grey(128, (20, 30, 3)), s) != 128 for s in range(50)])
    boxes = changed.any(-1)
    for box in boxes:
        rows, columns = np.flatnonzero(box.any(1)), np.flatnonzero(box.any(0))
        assert 3 <= np.ptp(rows) + 1 <= 12
        assert 3 <= np.ptp(columns) + 1 <= 12
    assert boxes.any(0).mean() > 0.9  # everywhere in turn


def test_wrong_images_and_laws_are_refused():
    noise = build(PATHS['gaussian'])
    with pytest.raises(ValueError, match=r'expected \(H, W, C\) uint8, got shape \(4, 4\)'):
        noise.apply_uint8(grey(1, (4, 4)), 1)
    with pytest.raises(ValueError, match='float32'):
        noise.apply_uint8(np.zeros((4, 4, 3), np.float32), 1)
    with pytest.raises(ValueError, match="'normal', 'uniform' or 'laplace'"):
        uint8.additive(grey(1), 5, 1, law='cauchy')


def test_normal_values_are_quantiles_of_unit_variance():
    values = uint8._normal_values().astype(np.float64)
    quantile = statistics.NormalDist().inv_cdf
    assert values.mean() == pytest.approx(0, abs=1e-7)
    assert values.std() == pytest.approx(1, abs=1e-6)
    for at in (0, 1000, 40000, 65535):
        assert values[at] == pytest.approx(quantile((at + 0.5) / 65536), rel=1e-4)

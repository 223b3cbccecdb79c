"""Sliced Wasserstein distance of pyramid patches: definition, order, and what is refused."""

import itertools

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch
from set_samples import sample_set, scored

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics import SlicedWasserstein
from noiseedit.evaluation.metrics import sliced_wasserstein as swd

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])[..., None] / 256


def picture(side=32, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (side, side, channels)).astype(np.float32)


def halved(image):
    return scipy.ndimage.convolve(image, KERNEL, mode='mirror')[::2, ::2]


def doubled(image):
    wide = np.zeros((2 * image.shape[0], 2 * image.shape[1], image.shape[2]))
    wide[::2, ::2] = image
    return scipy.ndimage.convolve(wide, 4 * KERNEL, mode='mirror')


@pytest.mark.parametrize('channels', [1, 3])
def test_pyramid_equals_its_definition(channels):
    image = picture(64, channels)
    half = halved(image.astype(np.float64))
    quarter = halved(half)
    expected = [image - doubled(half), half - doubled(quarter), quarter]
    for level, array in enumerate(expected):
        found = swd.laplacian_level(image, level)
        assert found.shape == array.shape
        assert found == pytest.approx(array, abs=1e-3)


@pytest.mark.parametrize(
    ('side', 'sides'), [(16, [16]), (31, [31, 16]), (32, [32, 16]), (128, [128, 64, 32, 16])]
)
def test_levels_go_down_to_16_pixels(side, sides):
    assert swd.level_sides(side) == sides
    shapes = [swd.laplacian_level(picture(side), i).shape[0] for i in range(len(sides))]
    assert shapes == sides


def test_descriptors_are_patches_normalised_per_channel():
    images = np.stack([picture(seed=i) for i in range(5)]).astype(np.uint8)
    found = swd.descriptors(images, list('abcde'), 1, seed=0)
    assert found.shape == (5 * 128, 3 * 49)
    channels = found.reshape(-1, 3, 49)
    assert channels.mean((0, 2)) == pytest.approx([0] * 3, abs=1e-5)
    assert channels.std((0, 2)) == pytest.approx([1] * 3, abs=1e-5)
    rest = swd.laplacian_level(images[0].astype(np.float32), 1)
    first = found[:128].reshape(128, 3, 49)[:, 0]
    windows = np.lib.stride_tricks.sliding_window_view(rest[..., 0], (7, 7)).reshape(-1, 49)
    whole = (windows - windows.mean(1, keepdims=True)) / windows.std(1, keepdims=True)
    own = (first - first.mean(1, keepdims=True)) / first.std(1, keepdims=True)
    nearest = np.abs(own[:, None] - whole).max(2).min(1)
    assert nearest.max() < 1e-2  # each is a patch of the level, but for shift and scale


def test_distance_equals_that_of_scipy_on_the_same_directions():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(200, 10)).astype(np.float32)
    b = (rng.normal(size=(200, 10)) * 1.5 + 0.3).astype(np.float32)
    found = swd.sliced_distances(a, b, seed=5)
    again = np.random.default_rng(5)
    expected = []
    for _ in range(swd.REPEATS):
        directions = again.standard_normal((swd.DIRECTIONS, 10))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        each = [scipy.stats.wasserstein_distance(a @ d, b @ d) for d in directions]
        expected.append(np.mean(each))
    assert found == pytest.approx(expected, rel=1e-5)
    assert len(set(found)) == swd.REPEATS


def smooth_set(count, noise, seed=0, size=(32, 32)):
    """Samples of smooth random pictures: targets of one draw, predictions of another."""
    samples = sample_set(count, size=size, seed=seed)
    rng = np.random.default_rng(seed)
    for sample in samples:
        fields = rng.normal(size=(2, 3, *size))
        soft = [scipy.ndimage.gaussian_filter(f, (0, 1.5, 1.5)) for f in fields]
        pred, target = (torch.from_numpy(0.5 + 0.8 * f).float() for f in soft)
        grain = torch.from_numpy(rng.normal(size=(3, *size))).float()
        sample.set_data({'pred': pred + noise * grain, 'gt': target})
    return samples


def values(samples, **options):
    metric = SlicedWasserstein(**options)
    scored(metric, samples)
    return [value.value for value in metric.values.values()]


def test_a_set_against_itself_has_no_distance():
    samples = smooth_set(10, 0)
    for sample in samples:
        sample.set_data({'pred': sample.gt.clone()})
    assert values(samples) == [0, 0, 0]


def test_removing_noise_brings_sets_nearer():
    found = [values(smooth_set(30, noise)) for noise in (0.4, 0.2, 0.1, 0)]
    for finer, cleaner in itertools.pairwise(found):
        assert cleaner[0] < finer[0]
        assert cleaner[1] < finer[1]


def test_values_depend_on_keys_and_seed_not_on_order_or_batches():
    samples = smooth_set(12, 0.1)
    metrics = [SlicedWasserstein(max_images=8), SlicedWasserstein(max_images=8)]
    scored(metrics[0], samples)
    scored(metrics[1], samples[::-1], batch=5)
    assert metrics[0].values == metrics[1].values
    assert {value.n for value in metrics[0].values.values()} == {12}
    assert all(value.std > 0 for value in metrics[0].values.values())
    assert values(samples, max_images=8) != values(samples, max_images=8, seed=1)


def test_names_say_the_protocol_and_the_mean_is_that_of_levels():
    metric = SlicedWasserstein(64, max_images=100)
    protocol = '7x7x128,4x128,levels 64-16,images<=100)'
    kinds = ('mean', '64px', '32px', '16px')
    assert metric.value_names == tuple(f'SWDx1e3({kind},{protocol}' for kind in kinds)
    mean, *levels = values(smooth_set(4, 0.1, size=(48, 40)), image_size=(48, 40))
    assert mean == pytest.approx(np.mean(levels))
    assert len(levels) == 2


def test_grey_images():
    samples = sample_set(4, size=(32, 32), channels=1)
    assert min(values(samples)) > 0


def test_pictures_of_one_colour_are_no_division_by_zero():
    samples = sample_set(3, size=(32, 32))
    for sample in samples:
        sample.set_data({'pred': torch.full((3, 32, 32), 0.5)})
    assert np.isfinite(values(samples)).all()


@pytest.mark.parametrize('size', [15, (32, 8), (32, 32, 3)])
def test_sizes_that_have_no_level_are_refused(size):
    with pytest.raises(ConfigError, match=r'expected a side or .* of at least 16 pixels, got'):
        SlicedWasserstein(size)


def test_images_of_another_size_are_refused():
    with pytest.raises(DataError, match='expected images of 32x32 pixels, got 12x10; give image_s'):
        scored(SlicedWasserstein(), sample_set(2))
    with pytest.raises(ConfigError, match='max_images: expected >= 2, got 1'):
        SlicedWasserstein(max_images=1)
